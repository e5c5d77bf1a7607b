// A small BatchNorm2d in JavaScript, the port that the vectors are tried on. It is written for reading.
// An array is { shape: [...], data: Float64Array, dtype: "float32" }, its numbers in C order.

const round = { float32: Math.fround, float64: (value) => value };
const array = (shape, data, dtype) => ({ shape, data: Float64Array.from(data, round[dtype]), dtype });

export class BatchNorm2d {
  // The flags of what this port does not have.
  static lacks = new Set(["BFloat16", "Float16", "HugeCounter"]);

  constructor(config, dtype) {
    Object.assign(this, config, { dtype, training: true });
    const C = config.num_features;
    const filled = (value, wanted) => (wanted ? array([C], new Float64Array(C).fill(value), dtype) : null);
    this.weight = filled(1, config.affine);
    this.bias = filled(0, config.bias);
    this.running_mean = filled(0, config.track_running_stats);
    this.running_var = filled(1, config.track_running_stats);
    this.num_batches_tracked = config.track_running_stats ? 0 : null;
  }

  forward(x) {
    if (x.shape.length !== 4) throw new Error("the input must have four dimensions");
    const [N, C, H, W] = x.shape;
    const count = N * H * W;
    this.count();
    const missing = [this.running_mean, this.running_var].filter((each) => each === null).length;
    const fromBatch = this.usesBatchStatistics(missing);
    const factor = this.factor();
    this.check(x, fromBatch, count, missing);
    const saved = { x, count, fromBatch, weight: this.weight, mean: [], scale: [] };
    const y = new Float64Array(x.data.length);
    for (let c = 0; c < C && count > 0; c++) {
      const [mean, variance] = fromBatch
        ? this.statistics(x, c)
        : [this.running_mean.data[c], this.running_var.data[c]];
      if (this.training && this.track_running_stats && !missing) {
        this.update(c, factor, mean, variance, count);
      }
      saved.mean[c] = mean;
      saved.scale[c] = this.scale(variance);
      const slope = saved.scale[c] * (this.weight ? this.weight.data[c] : 1);
      const shift = this.bias ? this.bias.data[c] : 0;
      for (const i of elements(x.shape, c)) y[i] = (x.data[i] - mean) * slope + shift;
    }
    return [array(x.shape, y, x.dtype), saved];
  }

  count() {
    if (this.training && this.track_running_stats && this.num_batches_tracked !== null) this.num_batches_tracked += 1;
  }

  usesBatchStatistics(missing) {
    return this.training || missing === 2;
  }

  factor() {
    if (this.momentum !== null) return this.momentum;
    if (!(this.training && this.track_running_stats) || this.num_batches_tracked === null) return 0;
    if (this.num_batches_tracked === 0) throw new Error("no batch is counted");
    return 1 / this.num_batches_tracked;
  }

  check(x, fromBatch, count, missing) {
    if (fromBatch && count === 1) throw new Error("more than one value per channel is needed");
    if (this.eps < 0 || (this.eps === 0 && fromBatch)) throw new Error("eps must be positive");
    const used = [this.weight, this.bias];
    if (!this.training || this.track_running_stats) {
      used.push(this.running_mean, this.running_var);
      if (missing === 1 && count > 0) throw new Error("one of running_mean and running_var is missing");
    }
    if (used.some((each) => each && each.data.length !== x.shape[1])) throw new Error("another number of channels");
  }

  statistics(x, c) {
    const count = x.data.length / x.shape[1];
    let sum = 0, rest = 0, squares = 0;
    for (const i of elements(x.shape, c)) sum += x.data[i];
    for (const i of elements(x.shape, c)) rest += x.data[i] - sum / count; // what the first sum has lost
    const mean = sum / count + (isFinite(rest) ? rest / count : 0);
    for (const i of elements(x.shape, c)) squares += (x.data[i] - mean) ** 2;
    return [mean, squares / count];
  }

  // Average the running statistics with those of a batch: mean and unbiased variance.
  update(c, factor, mean, biased, count) {
    for (const [name, value] of [["running_mean", mean], ["running_var", (biased * count) / (count - 1)]]) {
      const data = this[name].data.slice();
      data[c] = (1 - factor) * data[c] + factor * value;
      this[name] = array(this[name].shape, data, this.dtype);
    }
  }

  scale(variance) {
    return 1 / Math.sqrt(variance + this.eps);
  }

  backward({ x, count, fromBatch, weight, mean, scale }, upstream) {
    const C = x.shape[1];
    const found = { input: new Float64Array(x.data.length), weight: new Float64Array(C), bias: new Float64Array(C) };
    for (let c = 0; c < C && count > 0; c++) {
      const g = upstream.data;
      for (const i of elements(x.shape, c)) {
        found.bias[c] += g[i];
        found.weight[c] += g[i] * (x.data[i] - mean[c]) * scale[c];
      }
      const slope = scale[c] * (weight ? weight.data[c] : 1);
      for (const i of elements(x.shape, c)) {
        const removed = fromBatch ? this.removed((x.data[i] - mean[c]) * scale[c], found, c) / count : 0;
        found.input[i] = (g[i] - removed) * slope;
      }
    }
    return {
      grad_input: array(x.shape, found.input, x.dtype),
      grad_weight: array([C], found.weight, this.dtype),
      grad_bias: array([C], found.bias, this.dtype),
    };
  }

  // The parts of the upstream gradient along 1 and along x - mean, for one normalised value.
  removed(normalised, found, c) {
    return found.bias[c] + normalised * found.weight[c];
  }

  reset_running_stats() {
    if (!this.track_running_stats) return;
    for (const [name, value] of [["running_mean", 0], ["running_var", 1]]) {
      if (this[name] === null) throw new Error(`there is no ${name}`);
      this[name] = array(this[name].shape, this[name].data.map(() => value), this.dtype);
    }
    if (this.num_batches_tracked === null) throw new Error("there is no num_batches_tracked");
    this.num_batches_tracked = 0;
  }

  reset_parameters() {
    this.reset_running_stats();
    if (!this.affine) return;
    if (this.weight === null) throw new Error("there is no weight");
    this.weight = array(this.weight.shape, this.weight.data.map(() => 1), this.dtype);
    if (this.bias) this.bias = array(this.bias.shape, this.bias.data.map(() => 0), this.dtype);
  }
}

// The places of the elements of a channel.
function* elements([N, C, H, W], c) {
  for (let n = 0; n < N; n++) {
    const start = (n * C + c) * H * W;
    for (let i = start; i < start + H * W; i++) yield i;
  }
}
