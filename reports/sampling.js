"use strict";
// Columns of a chart, cut down to what is visible and no finer than the screen. No plotly and no page in here.

// The position of the first time that is not before `time`; times rise.
const rowAt = (times, time) => {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
};

// Of each of so many buckets of [first, last): the rows of the lowest and the highest value of every column, and of the
// first gap.
const extremes = (columns, first, last, buckets) => {
  const length = Math.ceil((last - first) / buckets);
  const kept = new Set([first, last - 1]);
  for (let start = first; start < last; start += length) {
    const stop = Math.min(last, start + length);
    for (const column of columns) {
      let [low, high, gap] = [-1, -1, -1];
      for (let row = start; row < stop; row++) {
        const value = column[row];
        if (Number.isNaN(value)) gap = gap < 0 ? row : gap;
        else {
          if (low < 0 || value < column[low]) low = row;
          if (high < 0 || value > column[high]) high = row;
        }
      }
      for (const row of [low, high, gap]) if (row >= 0) kept.add(row);
    }
  }
  return Uint32Array.from(kept).sort();
};

// The rows in [first, last) to draw: all of them, or the extremes of as many buckets as leave at most `most` rows, so
// that no peak, trough or gap is lost.
const rowsToDraw = (columns, first, last, most) => {
  if (last - first <= most) return Uint32Array.from({ length: last - first }, (_, row) => first + row);
  for (let buckets = Math.floor(most / 2); ; ) {
    const rows = extremes(columns, first, last, buckets);
    if (rows.length <= most || buckets === 1) return rows;
    buckets = Math.max(1, Math.floor((0.95 * buckets * most) / rows.length));
  }
};

const taken = (column, rows) => Float64Array.from(rows, (row) => column[row]);

// Rows of a two-dimensional column, as arrays.
const takenRows = ({ values, width }, rows) =>
  Array.from(rows, (row) => Array.from(values.subarray(row * width, (row + 1) * width)));

// The closed step outline of every stretch in which both `low` and `high` are known.
const outline = (times, low, high) => {
  const known = (row) => row < times.length && !Number.isNaN(low[row]) && !Number.isNaN(high[row]);
  const [x, y] = [[], []];
  for (let start = 0; start < times.length; start++) {
    if (!known(start)) continue;
    let stop = start;
    while (known(stop)) stop++;
    const until = (row) => times[Math.min(row + 1, times.length - 1)];
    for (let row = start; row < stop; row++) {
      x.push(times[row], until(row));
      y.push(low[row], low[row]);
    }
    for (let row = stop - 1; row >= start; row--) {
      x.push(until(row), times[row]);
      y.push(high[row], high[row]);
    }
    x.push(NaN);
    y.push(NaN);
    start = stop;
  }
  return { x, y };
};

// Markers are wider than lines: this share of the rows leaves no gap between them.
const SHARE_OF_MARKERS = 0.25;

// The traces of a figure with the rows that are visible between the times `from` and `to`. Traces that share their
// time column keep the same rows, so that pointing at one names all of them.
const sampled = (traces, from, to, most) => {
  const groups = new Map();
  for (const trace of traces) {
    if (!ArrayBuffer.isView(trace.x)) continue;
    groups.set(trace.x, [...(groups.get(trace.x) || []), trace]);
  }
  const rowsOf = new Map();
  for (const [times, group] of groups) {
    const first = Math.max(0, rowAt(times, from) - 1);
    const last = Math.min(times.length, rowAt(times, to) + 1);
    const share = group.some((trace) => trace.mode === "markers") ? SHARE_OF_MARKERS : 1;
    rowsOf.set(times, rowsToDraw(group.map((trace) => trace.y), first, last, most * share));
  }
  const cut = traces.map((trace) => {
    const rows = rowsOf.get(trace.x);
    if (!rows) return { ...trace };
    const smaller = { ...trace, x: taken(trace.x, rows), y: taken(trace.y, rows) };
    if (trace.customdata) smaller.customdata = takenRows(trace.customdata, rows);
    return smaller;
  });
  for (const trace of cut) {
    if (!trace.meta || !trace.meta.between) continue;
    const [low, high] = trace.meta.between.map((position) => cut[position]);
    Object.assign(trace, outline(low.x, low.y, high.y));
  }
  return cut;
};

// The range of the values of `traces` between two times, by vertical axis, with a little room; and how many markers
// there are.
const fitted = (traces, from, to) => {
  const ranges = {};
  let markers = 0;
  for (const trace of traces) {
    const axis = "yaxis" + (trace.yaxis || "y").slice(1);
    const range = (ranges[axis] = ranges[axis] || [Infinity, -Infinity]);
    for (let row = 0; row < trace.x.length; row++) {
      if (trace.x[row] < from || trace.x[row] > to || Number.isNaN(trace.y[row])) continue;
      range[0] = Math.min(range[0], trace.y[row]);
      range[1] = Math.max(range[1], trace.y[row]);
      if (trace.mode === "markers") markers += 1;
    }
  }
  for (const [axis, [low, high]] of Object.entries(ranges)) {
    const room = (high - low) * 0.06 || Math.abs(high) * 0.001 || 1;
    if (low > high) delete ranges[axis];
    else ranges[axis] = [low - room, high + room];
  }
  return { ranges, markers };
};
