"""The questions that people ask about BatchNorm2d, and answers that cases prove.

Each topic has one module. An answer is data: the question in the words of those who ask, sentences with
the cases and checks that prove them, and a script with what it prints. ``reports.behaviour`` prints them.
"""

from typing import Dict, Tuple

from oracle.answers import freezing, gradients, loading, loops, precision, refused, statistics, tracking
from oracle.answers.answer import Answer, Proof, Sentence
from oracle.answers.proving import holds

__all__ = ["TOPICS", "Answer", "Proof", "Sentence", "holds"]

TOPICS: Dict[str, Tuple[Answer, ...]] = {
    "Freezing": freezing.ANSWERS,
    "Train, eval and the numbers": statistics.ANSWERS,
    "Error messages": refused.ANSWERS,
    "Training loops": loops.ANSWERS,
    "Checkpoints and copies": loading.ANSWERS,
    "track_running_stats and absent buffers": tracking.ANSWERS,
    "Gradients": gradients.ANSWERS,
    "dtypes and memory format": precision.ANSWERS,
}
"""Maps a topic to its answers; the most frequent questions come first."""
