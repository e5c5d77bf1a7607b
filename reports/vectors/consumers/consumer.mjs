// Try a port on the vectors: node consumer.mjs DIR [PORT.mjs]. It needs Node 18 or newer and no package.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const { BatchNorm2d } = await import(file ? pathToFileURL(resolve(file)) : "./port.mjs");
const load = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
if (load("manifest.json").format !== 1) throw new Error(`${folder}: this consumer reads vectors of format 1`);
const table = load("arrays.json");
const pools = { float32: npy("float32", Float32Array), float64: npy("float64", Float64Array) };

// The numbers behind the header of a .npy file; the length of the header stands in the bytes 8 and 9.
function npy(name, type) {
  const bytes = readFileSync(join(folder, `${name}.npy`));
  return new type(Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer);
}

// The values or the budget of an array; of a large one, those at its points.
function array(number, part = "values") {
  const { shape, points, [part]: [pool, start] } = table.arrays[number];
  const size = points ? table.points[points].length : shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float64Array.from(pools[pool].subarray(start, start + size)) };
}

// What is wrong with what a port shows under a name; null if nothing is.
function wrong(name, want, got) {
  if (want === null || !got || name === "num_batches_tracked")
    return want === got ? null : `is ${got} instead of ${want}`;
  const { shape, data: values } = array(want), budget = array(want, "budget").data;
  if (`${got.shape}` !== `${shape}`) return `is of shape ${got.shape} instead of ${shape}`;
  const points = table.points[table.arrays[want].points];
  for (let i = 0; i < values.length; i++) {
    const value = got.data[points ? points[i] : i];
    const conforms = value === values[i] || (isNaN(value) && isNaN(values[i])) || budget[i] === Infinity;
    if (!conforms && !(Math.abs(value - values[i]) <= budget[i]))
      return `has ${value} instead of ${values[i]} within ${budget[i]}`;
  }
  return null;
}

// Perform a step and return the arrays that the port returns, by name.
function perform(step, number, port, saved, group) {
  if (step.do === "forward") {
    const [output, kept] = port.forward({ ...array(step.input), dtype: step.dtype ?? group.input_dtype });
    saved[number] = kept;
    return { output };
  }
  if (step.do === "backward") return port.backward(saved[step.of], array(step.upstream));
  if (step.do === "set") port[step.name] = typeof step.value === "string" ? Number(step.value) : step.value;
  else if (step.do === "assign")
    for (const [name, content] of Object.entries(step.state))
      port[name] = content === null || name === "num_batches_tracked" ? content : array(content);
  else if (step.do !== "construct") port[step.do](); // reset_running_stats, reset_parameters
  return {};
}

// The flag that ends the case early, and what is wrong; null for each where there is none.
function tryCase(test, group) {
  const saved = {}, state = {};
  let port = null;
  for (const [number, step] of test.steps.entries()) {
    const lacks = [...test.flags, ...(step.flags ?? [])].find((flag) => BatchNorm2d.lacks.has(flag));
    if (lacks) return [lacks, null];
    port ??= new BatchNorm2d(group.config, group.dtype);
    let returned = {}, raised = null;
    try {
      returned = perform(step, number, port, saved, group);
    } catch (error) {
      raised = `${error}`;
    }
    const at = `step ${number} (${step.do}):`;
    if ((raised === null) === "raises" in step) return [null, `${at} raised ${raised} instead of ${step.raises}`];
    Object.assign(state, step.state);
    for (const [name, want] of Object.entries({ ...state, ...step.returns })) {
      const found = wrong(name, want, name in state ? port[name] : returned[name]);
      if (found) return [null, `${at} ${name} ${found}; flags ${step.flags}`];
    }
  }
  return [null, null];
}

const counts = { passed: 0, failed: 0, early: 0 }, ended = {};
for (const name of load("manifest.json").cases)
  for (const group of load(name).testGroups)
    for (const test of group.tests) {
      const [flag, found] = tryCase(test, group);
      counts[found ? "failed" : flag ? "early" : "passed"]++;
      if (flag) ended[flag] = (ended[flag] ?? 0) + 1;
      if (found) console.log(`FAILED ${test.id}\n  ${found}`);
    }
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.early} ended early by what the port lacks:`);
for (const flag of Object.keys(ended).sort()) console.log(`  ${ended[flag]} ${flag}`);
process.exitCode = counts.failed ? 1 : 0;
