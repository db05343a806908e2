"use strict";
(() => {
  const POINTS_PER_PIXEL = 2; // the lowest and the highest value of every column of pixels
  const { columns: packed, figures: described } = JSON.parse(document.getElementById("figures").textContent);
  const narrow = matchMedia("(max-width: 980px)");
  const touch = matchMedia("(pointer: coarse)");
  const config = {
    displaylogo: false,
    responsive: true,
    displayModeBar: touch.matches ? true : "hover",
    doubleClick: "reset",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  };

  const columns = packed.map(({ bdata, shape }) => {
    const letters = atob(bdata);
    const bytes = new Uint8Array(letters.length);
    for (let place = 0; place < letters.length; place++) bytes[place] = letters.charCodeAt(place);
    const values = new Float64Array(bytes.buffer);
    return shape ? { values, width: Number(shape.split(",")[1]) } : values;
  });

  // {"column": 3} becomes the third column: traces that share one share the very same array.
  const withColumns = (node) => {
    if (Array.isArray(node)) return node.map(withColumns);
    if (node === null || typeof node !== "object") return node;
    if ("column" in node) return columns[node.column];
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withColumns(value)]));
  };
  const figures = withColumns(described);

  // "@name" under a key that ends in "color" or "colorscale" is a colour of the style sheet, light or dark.
  const colored = (node, key, style) => {
    if (typeof node === "string" && node.startsWith("@") && /color(scale)?$/.test(key)) {
      return style.getPropertyValue("--" + node.slice(1)).trim();
    }
    if (Array.isArray(node)) return node.map((item) => colored(item, key, style));
    if (node === null || typeof node !== "object" || ArrayBuffer.isView(node)) return node;
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, colored(value, name, style)]));
  };

  const isTimed = (figure) => figure.layout.xaxis.type === "date" && figure.layout.xaxis.range;

  const markerSize = (count, width) => {
    const crowd = (count * 1100) / width;
    return crowd > 1500 ? 5 : crowd > 600 ? 6 : crowd > 200 ? 8 : 11;
  };

  let zoom = null; // the times that all charts show, [from, to] in milliseconds; null is everything
  let heldAxes = {}; // vertical ranges chosen by hand in the chart that was zoomed last: { id, ranges }

  const showTimes = (id, data, layout) => {
    const [from, to] = zoom || layout.xaxis.range;
    const width = document.getElementById(id).clientWidth;
    const seen = sampled(data, from, to, Math.max(1000, POINTS_PER_PIXEL * width));
    const visible = seen.filter((trace) => trace.visible !== "legendonly");
    const { ranges, markers } = fitted(visible, from, to);
    const size = markerSize(markers, width);
    for (const trace of seen) if (trace.mode === "markers") trace.marker = { ...trace.marker, size };
    if (zoom) {
      layout.xaxis.range = zoom;
      for (const [axis, range] of Object.entries(ranges)) layout[axis].range = range;
    }
    if (heldAxes.id === id) for (const [axis, range] of Object.entries(heldAxes.ranges)) layout[axis].range = range;
    return seen;
  };

  const draw = (id) => {
    const { data, layout } = colored(figures[id], "", getComputedStyle(document.documentElement));
    layout.legend.uirevision = "kept";
    layout.modebar.uirevision = "kept";
    layout.font.family = getComputedStyle(document.body).fontFamily;
    const timed = isTimed(figures[id]);
    layout.dragmode = timed && !touch.matches ? "zoom" : false;
    if (document.getElementById(id).clientWidth < 640) {
      layout.margin = { ...layout.margin, l: 40, r: 4, t: layout.showlegend === false ? 30 : 80 };
      layout.font.size = 11;
    }
    if (!timed) return Plotly.react(id, data, layout, { ...config, displayModeBar: false });
    return Plotly.react(id, showTimes(id, data, layout), layout, config);
  };

  // Plotly gives times as UTC without saying so: "2024-07-23 15:40:00.5", or shorter where the rest is zero.
  const milliseconds = (time) =>
    typeof time === "number" ? time : Date.parse(time.replace(" ", "T") + (time.length > 10 ? "Z" : ""));

  let latest = 0;

  // Zooming one chart in time zooms all of them; the vertical axes fit what is visible.
  const follow = async (id, event) => {
    if (!Object.keys(event).some((name) => name.startsWith("xaxis."))) return;
    const turn = ++latest;
    const { layout } = document.getElementById(id);
    const [first, last] = figures[id].layout.xaxis.range;
    const [from, to] = layout.xaxis.range.map(milliseconds);
    zoom = from <= first && to >= last ? null : [from, to];
    const chosen = new Set(Object.keys(event).filter((name) => /^yaxis\d*\.range/.test(name)).map((name) => name.split(".")[0]));
    heldAxes = zoom ? { id, ranges: Object.fromEntries([...chosen].map((axis) => [axis, layout[axis].range])) } : {};
    for (const name of Object.keys(figures).filter((name) => isTimed(figures[name]))) {
      await draw(name);
      if (turn !== latest) return;
    }
  };

  // Each chart in a turn of its own: the page can be read and scrolled while those further down are drawn.
  const drawAll = async () => {
    for (const id of Object.keys(figures)) {
      await draw(id);
      await new Promise((done) => setTimeout(done));
    }
  };

  drawAll().then(() => {
    for (const id of Object.keys(figures).filter((name) => isTimed(figures[name]))) {
      document.getElementById(id).on("plotly_relayout", (event) => follow(id, event));
    }
    document.documentElement.dataset.drawn = Object.keys(figures).length;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  narrow.addEventListener("change", drawAll);
})();
