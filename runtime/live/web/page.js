// Asks /state every second and shows it. Text from the run only ever becomes text, never markup.

const EVERY_MS = 1000;
const PATIENCE_MS = 5000;
const byId = (id) => document.getElementById(id);

let token = "";
let answeredAt = 0;
let last = null;
let waiting = null;
const drawn = new Map();

// -- Elements and figures --------------------------------------------------------------------------------------------

function el(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return made;
}

function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Draws a part of the page anew only when what it shows has changed: a selection in the rest stays.
function draw(id, data, make) {
  const said = JSON.stringify(data);
  if (drawn.get(id) === said) return;
  drawn.set(id, said);
  byId(id).replaceChildren(...make());
}

// So many that the largest figure gets four digits: figures that are read together line up.
function decimalsFor(...values) {
  const largest = Math.max(0, ...values.map((value) => Math.abs(Number(value))));
  return largest === 0 ? 2 : Math.min(8, Math.max(2, 3 - Math.floor(Math.log10(largest))));
}

function number(value, decimals, signed = false) {
  const text = Math.abs(Number(value)).toLocaleString("en-US", {
    minimumFractionDigits: decimals, maximumFractionDigits: decimals,
  });
  if (!/[1-9]/.test(text)) return text;
  return (Number(value) < 0 ? "−" : signed ? "+" : "") + text;
}

// An exact decimal as it is, without zeros that say nothing.
function exact(value) {
  if (value === null) return "—";
  let text = String(value);
  if (/e/i.test(text)) return number(value, 8);
  if (text.includes(".")) text = text.replace(/\.?0+$/, "");
  return text.replace("-", "−");
}

// Prices that are read together get as many decimals as any of them needs.
function priceOf(...values) {
  const needed = Math.max(0, ...values.filter((value) => value !== null).map((value) => (exact(value).split(".")[1] ?? "").length));
  return (value) => (value === null ? "—" : number(value, needed));
}

function duration(secs) {
  if (secs < 60) return `${secs.toFixed(secs < 10 ? 1 : 0)} s`;
  if (secs < 3600) return `${Math.floor(secs / 60)} min ${Math.floor(secs % 60)} s`;
  if (secs < 259200) return `${Math.floor(secs / 3600)} h ${Math.floor((secs % 3600) / 60)} min`;
  return `${Math.floor(secs / 86400)} d ${Math.floor((secs % 86400) / 3600)} h`;
}

const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
const dayOf = (ms) => new Date(ms).toISOString().slice(5, 10);
// The time of day; on another day than `now`, the day as well.
const moment = (ms, now) => (dayOf(ms) === dayOf(now) ? clock(ms) : `${dayOf(ms)} ${clock(ms).slice(0, 5)}`);
const gainOrLoss = (value) => (Number(value) > 0 ? "gain" : Number(value) < 0 ? "loss" : "");
const bps = (value) => (value === null ? "—" : `${number(value, 1)} bps`);

// -- The run ---------------------------------------------------------------------------------------------------------

const RIBBONS = {
  "REAL MONEY": ["real", "orders go to Binance, with your money"],
  TESTNET: ["test", "Binance’s testnet, no money"],
  DEMO: ["test", "Binance’s demo exchange, no money"],
  LOCAL: ["", "an exchange on this machine"],
  PAPER: ["rehearsal", "the live market, simulated fills, no money"],
  REHEARSAL: ["rehearsal", "a recorded market on a local exchange, no money"],
};

function showRun(run) {
  const [className, words] = RIBBONS[run.label] ?? ["", ""];
  byId("label").className = `ribbon ${className}`;
  draw("label", run.label, () => [`${run.label} `, el("span", "", `· ${words}`)]);
  byId("setup").textContent = run.setup;
  document.title = `${run.setup} · ${run.label}`;
  const facts = {
    Instruments: run.instruments.join(", "), Account: run.account, Venue: run.venue, Run: run.run_id,
    "Started (UTC)": new Date(run.started_ms).toISOString().slice(0, 19).replace("T", " "),
  };
  draw("facts", facts, () => Object.entries(facts).map(([name, value]) => el("div", "", el("dt", "", name), el("dd", "", value))));
}

const MOODS = { QUOTING: "good", TRADING: "good", WAITING: "calm", HALTED: "bad", "NOT QUOTING": "bad" };

function showStatus(state) {
  byId("status").textContent = state.status === "QUOTING" ? "Quoting" : titled(state.status);
  byId("status").closest("section").className = `card state ${MOODS[state.status] ?? "middling"}`;
  draw("reasons", state.why_not, () => joined(state.why_not).map((why) => {
    const who = [why.scope === "account" ? "" : why.scope, why.side ?? ""].filter(Boolean).join(", ");
    return el("li", "", el("span", "who", who ? `${who}: ` : ""), why.text);
  }));
}

// What holds for the bid and the ask alike is said once.
function joined(reasons) {
  const known = new Map();
  for (const why of reasons) {
    const key = JSON.stringify([why.scope, why.text]);
    known.set(key, known.has(key) ? { ...why, side: "both sides" } : why);
  }
  return [...known.values()];
}

const titled = (text) => text[0].toUpperCase() + text.slice(1).toLowerCase();

function showMoney(state) {
  const money = state.money;
  const unit = state.run.currency;
  const decimals = money === null ? 2 : decimalsFor(money.pnl, money.trading_pnl, money.parts.fees);
  const tiles = money === null ? [] : [
    ["P&L", money.pnl, true], ["Trading P&L", money.trading_pnl, true], ["Equity", money.equity, false],
    ["Fees", money.parts.fees, true],
  ];
  draw("tiles", [tiles, money?.fills], () => money === null ? [tile("Equity", "—", "", "not known before the first quote")] : [
    ...tiles.map(([label, value, signed]) =>
      tile(label, number(value, signed ? decimals : decimalsFor(value), signed), unit, "", signed ? value : 0)),
    tile("Fills", number(money.fills, 0), ""),
  ]);
  draw("parts", money?.parts ?? null, () => money === null ? [el("p", "empty", "Nothing yet.")] : [partBars(money.parts, unit)]);
}

function tile(label, value, unit, note = "", sign = 0) {
  const line = el("p", `value ${gainOrLoss(sign)}`, value, " ", el("span", "unit", unit));
  return el("div", "tile", el("p", "label", label), line, ...(note ? [el("p", "note", note)] : []));
}

function partBars(parts, unit) {
  const values = Object.entries(parts).map(([name, value]) => [name, Number(value)]);
  const largest = Math.max(...values.map(([, value]) => Math.abs(value))) || 1;
  const decimals = decimalsFor(largest);
  return el("div", "bars", ...values.map(([name, value]) => {
    const share = (Math.abs(value) / largest) * 50;
    return el("div", "",
      el("p", "row", el("span", "", titled(name)), el("b", gainOrLoss(value), `${number(value, decimals, true)} ${unit}`)),
      track(value < 0 ? 50 - share : 50, share, name, "middle"));
  }));
}

function track(left, width, className, kind = "") {
  const bar = el("i", className);
  bar.style.left = `${left}%`;
  bar.style.width = `${width}%`;
  return el("div", `track ${kind}`, bar);
}

// -- Equity ----------------------------------------------------------------------------------------------------------

function showEquity(state) {
  const points = state.equity;
  const now = state.money === null ? [] : [[state.time_ms, ...Array(3).fill(Number(state.money.equity))]];
  const all = [...points, ...now];
  const width = Math.round(byId("equity").clientWidth);
  draw("equity", [all, width], () => all.length < 2 ? [el("p", "empty", "The curve begins with the first quotes.")] : [equityChart(all, width)]);
  byId("equity-range").textContent = all.length < 2 ? "" :
    `${duration((all.at(-1)[0] - all[0][0]) / 1000)}, in ${state.run.currency}; the dashed line is the start`;
}

function equityChart(points, width) {
  const height = 210, left = 74, right = 10, top = 8, bottom = 24;
  const start = points[0][3];
  let low = Math.min(...points.map((p) => p[1])), high = Math.max(...points.map((p) => p[2]));
  const room = (high - low || Math.abs(high) * 1e-4 || 1) * 0.08;
  low -= room; high += room;
  const t0 = points[0][0], span = points.at(-1)[0] - t0 || 1;
  const x = (ms) => (left + ((ms - t0) / span) * (width - left - right)).toFixed(1);
  const y = (value) => (top + ((high - value) / (high - low)) * (height - top - bottom)).toFixed(1);
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Equity over time" });
  const decimals = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(high - low))));
  for (let step = 0; step <= 3; step += 1) {
    const value = low + ((high - low) * (step + 0.5)) / 4;
    chart.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      svg("text", { x: left - 8, y: Number(y(value)) + 4, "text-anchor": "end" }, number(value, decimals)));
  }
  chart.append(svg("line", { class: "start", x1: left, x2: width - right, y1: y(start), y2: y(start) }));
  const edge = [...points.map((p) => `${x(p[0])},${y(p[2])}`), ...[...points].reverse().map((p) => `${x(p[0])},${y(p[1])}`)];
  chart.append(svg("polygon", { class: "band", points: edge.join(" ") }),
    svg("polyline", { class: "line", points: points.map((p) => `${x(p[0])},${y(p[3])}`).join(" ") }),
    svg("circle", { class: "dot", cx: x(points.at(-1)[0]), cy: y(points.at(-1)[3]), r: 3.5 }),
    svg("text", { x: left, y: height - 4 }, moment(t0, points.at(-1)[0])),
    svg("text", { x: width - right, y: height - 4, "text-anchor": "end" }, `${clock(points.at(-1)[0])} UTC`));
  return chart;
}

// -- Strategies ------------------------------------------------------------------------------------------------------

function showStrategies(state) {
  const markets = new Map(state.markets.map((market) => [market.instrument, market]));
  const shown = [...state.strategies, ...state.signals];
  const quoted = new Set(shown.filter((each) => each.is_maker).map((maker) => maker.instrument));
  const others = state.markets.filter((market) => !quoted.has(market.instrument));
  const why = (each) => joined(state.why_not).filter((reason) => reason.scope === each.strategy);
  draw("strategies", [shown, state.markets, state.why_not], () => [
    ...shown.map((each) => each.is_maker ? makerCard(each, markets.get(each.instrument), state.run.currency) :
      strategyCard(each, why(each), markets, state)),
    ...(others.length ? [marketsCard(others, state.run.currency)] : []),
  ]);
}

function strategyCard(each, why, markets, state) {
  const card = el("section", "card", el("h2", "", each.strategy));
  const reasons = why.length ? why.map((reason) => reason.text) : state.status === "HALTED" ? ["the account is halted"] : [];
  if (reasons.length) card.append(el("p", "small", `Does nothing now: ${reasons.join("; ")}.`));
  if (!each.is_explained) card.append(el("p", "small", "It does not say what it is after."));
  if (each.scales.length) card.append(el("div", "bars", ...each.scales.map(scaleRow)));
  const rows = each.figures.map((figure) => [figure.label, ...figureText(figure, state.time_ms)]);
  card.append(figureList(rows));
  if (each.holdings.length) card.append(holdingsTable(each.holdings, markets, state.run.currency));
  return card;
}

function holdingsTable(holdings, markets, currency) {
  const hasTargets = holdings.some((each) => each.target_qty !== null);
  const rows = holdings.map((each) => {
    const mid = markets.get(each.instrument_id)?.mid ?? null;
    const value = mid === null || each.held_qty === null ? null : Number(each.held_qty) * Number(mid);
    return [each.instrument_id.replace(/\.[^.]*$/, ""), exact(each.held_qty), ...(hasTargets ? [exact(each.target_qty)] : []),
      value === null ? "—" : number(value, decimalsFor(value))];
  });
  return table(["Instrument", "Held", ...(hasTargets ? ["Wanted"] : []), `in ${currency}`], rows, 1);
}

const UNITS = { pct: " %", bps: " bps", secs: " s" };

// A value with its unit; an exact decimal stays exact unless it is an amount of money.
function withUnit(value, unit) {
  if (value === null) return "—";
  if (unit === "secs") return duration(value);
  if (unit === "ms_utc") return clock(value);
  const text = typeof value === "string" && !unit ? exact(value) : number(value, Number.isInteger(value) ? 0 : 2);
  return text + (UNITS[unit] ?? (unit && ` ${unit}`));
}

// What a figure says, and what stands small below it.
function figureText(figure, now) {
  if (figure.value === null) return [figure.text || "—", figure.note];
  if (figure.unit !== "ms_utc") return [withUnit(figure.value, figure.unit), figure.note];
  const secs = (figure.value - now) / 1000;
  return [moment(figure.value, now), secs >= 0 ? `in ${duration(secs)}` : `${duration(-secs)} ago`];
}

const figureList = (rows) => el("dl", "strategy-figures", ...rows.map(([name, text, small]) =>
  el("div", "", el("dt", "", name), el("dd", "", text, el("div", "small", small)))));

function scaleRow(scale) {
  const place = (value) => Math.max(0, Math.min(100, ((value - scale.low) / (scale.high - scale.low)) * 100));
  const bar = el("div", "track scale");
  const add = (className, from, to) => {
    const made = el("i", className);
    made.style.left = `${Math.min(place(from), place(to))}%`;
    made.style.width = `${Math.abs(place(to) - place(from))}%`;
    bar.append(made);
  };
  if (scale.inside) add("zone", ...scale.inside);
  if (scale.value !== null) add(`fill ${scaleLevel(scale)}`, 0, Number(scale.value));
  for (const level of scale.levels) add("tick", level.at, level.at);
  if (scale.value !== null) add("now", Number(scale.value), Number(scale.value));
  return el("div", "", el("p", "row", el("span", "", scale.label), el("b", "", withUnit(scale.value, scale.unit), scaleEnd(scale))),
    bar, el("p", "small", scaleLegend(scale)));
}

function scaleLevel({ value, low, high, inside }) {
  const at = Number(value);
  if (inside) return at < inside[0] || at > inside[1] ? "near" : "";
  if (low >= 0) return "";
  return at <= low || at >= high ? "full" : Math.abs(at) >= 0.8 * high ? "near" : "";
}

const short = (value) => exact(Number(value.toPrecision(4)));

// A scale on which nothing stands is read as a share of its end.
const scaleEnd = (scale) => (scale.levels.length || scale.inside ? "" : ` of ${short(scale.high)}`);

// Says every level once: the same one on both sides of zero as ±.
function scaleLegend(scale) {
  const unit = UNITS[scale.unit] ?? (scale.unit && ` ${scale.unit}`);
  const named = new Map();
  for (const level of scale.levels) named.set(level.name, [...(named.get(level.name) ?? []), level.at]);
  const words = [...named].map(([name, at]) => {
    const both = at.length === 2 && at[0] === -at[1];
    return `${name} ${both ? `±${short(Math.abs(at[0]))}` : at.map(short).join(" and ")}${unit}`;
  });
  const isSaid = scale.inside?.every((end) => scale.levels.some((level) => level.at === end));
  if (scale.inside && !isSaid) words.push(`left alone from ${scale.inside.map(short).join(" to ")}${unit}`);
  return words.join(" · ");
}

function makerCard(maker, market, currency) {
  const card = el("section", "card", el("h2", "", maker.instrument), el("p", "small", maker.strategy));
  if (market.mid === null) return card;
  card.append(ladder(maker, market), figures(maker, market, currency));
  if (maker.inventory !== null) card.append(el("div", "bars", ...maker.scales.map(scaleRow)));
  return card;
}

function ladder(maker, market) {
  const price = pricesOf(maker, market);
  const half = market.spread_bps / 2;
  const reach = Math.max(half, ...[maker.bid, maker.ask].map((quote) => Math.abs(quote?.to_mid_bps ?? 0))) * 1.15 || 1;
  const at = (value) => 50 + (value / reach) * 46;
  const strip = el("div", "ladder", el("div", "axis"));
  const gap = el("div", "gap");
  gap.style.left = `${at(-half)}%`;
  gap.style.width = `${at(half) - at(-half)}%`;
  strip.append(gap, tag("below", at(0), `market ${price(market.bid)} | ${price(market.ask)}`));
  for (const [side, quote, sign] of [["buy", maker.bid, -1], ["sell", maker.ask, 1]]) {
    if (quote === null) continue;
    const place = at(sign * quote.to_mid_bps);
    const mark = el("div", `own ${side}`);
    mark.style.left = `${place}%`;
    const words = `${side === "buy" ? "our bid" : "our ask"} ${price(quote.price)}`;
    strip.append(mark, tag(`above ${side} ${side === "buy" ? "from-left" : "from-right"}`, place, words));
  }
  return strip;
}

const pricesOf = (maker, market) => priceOf(market.bid, market.ask, maker.bid?.price ?? null, maker.ask?.price ?? null);

function tag(className, left, text) {
  const made = el("span", `tag ${className}`, text);
  made.style.left = `${left}%`;
  return made;
}

function figures(maker, market, currency) {
  const price = pricesOf(maker, market);
  const quote = (own) => own === null ? "none" : `${exact(own.quantity)} at ${price(own.price)}`;
  const behind = (own) => own === null ? "" : `${bps(own.to_touch_bps)} behind the best, ${bps(own.to_mid_bps)} from the mid`;
  const value = market.value === null ? "" : `worth ${number(market.value, decimalsFor(market.value))} ${currency}`;
  const rows = [
    ["Our bid", quote(maker.bid), behind(maker.bid)], ["Our ask", quote(maker.ask), behind(maker.ask)],
    ["Market", `${price(market.bid)} | ${price(market.ask)}`, `${bps(market.spread_bps)} wide, ${duration(market.age_secs)} old`],
    ["Held", exact(market.held), value],
  ];
  return figureList(rows);
}

function marketsCard(markets, currency) {
  const rows = markets.map((market) => [market.instrument, exact(market.bid), exact(market.ask),
    market.age_secs === null ? "—" : duration(market.age_secs), exact(market.held),
    market.value === null ? "—" : number(market.value, decimalsFor(market.value))]);
  return el("section", "card", el("h2", "", "Markets"),
    table(["Instrument", "Bid", "Ask", "Age", "Held", `Value in ${currency}`], rows, 1));
}

// -- Limits, orders, events ------------------------------------------------------------------------------------------

const ACTIONS = {
  refuse: "orders are refused", warn: "written down", stop_quoting: "only reducing orders", cancel: "quotes are cancelled",
  flatten_passively: "quotes the position down", flatten: "closes at the market",
};

function showLimits(state) {
  const isNear = (limit) => limit.used_pct >= 80;
  const limits = [...state.limits.filter(isNear), ...state.limits.filter((limit) => !isNear(limit))];
  draw("limits", limits, () => limits.length ? [el("div", "scroll limits", el("div", "bars", ...limits.map(limitRow)))] :
    [el("p", "empty", "This setup has no limits.")]);
}

function limitRow(limit) {
  const least = limit.rule.startsWith("min_");
  const used = limit.used_pct;
  const value = limit.value === null ? "" : `${exact(Number(Number(limit.value).toPrecision(4)))} `;
  const words = `${value}${least ? "of at least" : value ? "of" : "at most"} ${exact(limit.limit)}`;
  const scope = limit.scope === "account" ? "" : ` · ${limit.scope}`;
  const level = used >= 100 ? "full" : used >= 80 ? "near" : "";
  const row = el("div", "", el("p", "row", el("span", "", limit.rule, el("span", "small", scope)), el("b", "", words)));
  if (used !== null) row.append(track(0, Math.min(100, used), level));
  row.append(el("p", "small", used === null ? `looked at when it matters; then ${ACTIONS[limit.action] ?? limit.action}` :
    `${number(Math.max(0, 100 - used), 0)} % left; then ${ACTIONS[limit.action] ?? limit.action}`));
  return row;
}

function table(head, rows, textColumns) {
  const cells = (tag, row) => row.map((cell, at) => el(tag, at < textColumns ? "text" : "", cell));
  return el("div", "scroll", el("table", "", el("thead", "", el("tr", "", ...cells("th", head))),
    el("tbody", "", ...rows.map((row) => el("tr", "", ...cells("td", row))))));
}

function showOrders(state) {
  const count = state.orders.length + state.orders_left_out;
  byId("orders-title").textContent = count ? `Open orders (${count})` : "Open orders";
  const price = priceOf(...state.orders.map((order) => order.price));
  draw("orders", state.orders, () => state.orders.length ? [table(
    ["Order", "Strategy", "Instrument", "Side", "Status", "Price", "Left", "Filled", "Age"],
    state.orders.map((order) => [order.id, order.strategy, order.instrument,
      el("span", order.side === "buy" ? "buy" : "sell", order.side), titled(order.status.replaceAll("_", " ")),
      price(order.price), exact(order.left), exact(order.filled), duration(order.age_secs)]), 5)] :
    [el("p", "empty", "None.")]);
  byId("refusals-card").hidden = !state.refusals.length;
  draw("refusals", [state.refusals, dayOf(state.time_ms)], () => [table(["Rule", "Strategy", "Times", "Last (UTC)", "First was", "Limit"],
    state.refusals.map((each) => [each.rule, each.strategy, number(each.count, 0), moment(each.last_ms, state.time_ms),
      exact(each.value), exact(each.limit)]), 2)]);
}

const KINDS = { fill: "fill", rejected: "rejected", refused: "refused", said: "run" };

function showEvents(state) {
  draw("events", [state.events, dayOf(state.time_ms)], () => state.events.length ? state.events.map((event) => el("div", `event ${KINDS[event.kind] ? event.kind : ""}`,
    el("time", "", moment(event.time_ms, state.time_ms)), el("span", "kind", KINDS[event.kind] ?? event.kind),
    el("span", "text", event.count > 1 ? `${event.text} (${number(event.count, 0)} times)` : event.text))) : [el("p", "empty", "Nothing yet.")]);
}

function showFooter(state) {
  const parts = Object.entries(state.connections).map(([name, stands]) => el("span", stands ? "" : "down", `${name}: ${stands ? "connected" : "LOST"} · `));
  const recording = state.recording === null ? "not recording" : `recording: ${state.recording.text}`;
  draw("connections", [state.connections, state.recording], () => [...parts, el("span", state.recording?.ok === false ? "down" : "", recording)]);
  byId("made-in").textContent = `This look took ${number(state.made_in_us / 1000, 2)} ms of the trading loop.`;
}

// -- The one control -------------------------------------------------------------------------------------------------

function showControls(state) {
  draw("controls", state.controls.halt, () => {
    if (!state.controls.halt) return [];
    const button = el("button", "grave", "Halt…");
    button.id = "halt";
    button.addEventListener("click", askToHalt);
    return [button];
  });
}

function field(label, attributes) {
  const input = Object.assign(el("input"), attributes);
  return [input, el("label", "", label, input)];
}

function choice(label, id, options) {
  const select = Object.assign(el("select", "", ...options.map(([value, text]) => Object.assign(el("option", "", text), { value }))), { id });
  return [select, el("label", "", label, select)];
}

function askToHalt() {
  const [reason, reasonLabel] = field("Why, which is written down", { maxLength: 300, required: true, id: "halt-reason" });
  const [secret, secretLabel] = field("Token (BALLAST_WEB_TOKEN)",
    { type: "password", required: true, autocomplete: "off", value: token, id: "halt-token" });
  const [which, whichLabel] = choice("What", "halt-what",
    [["", "everything"], ...last.strategies.map(({ strategy }) => [strategy, `${strategy} alone`])]);
  const said = el("p", "answer");
  said.id = "halt-said";
  const cancel = Object.assign(el("button", "", "Cancel"), { type: "button" });
  const go = el("button", "grave", "Halt now");
  go.id = "halt-now";
  const form = el("form", "", el("h2", "", "Halt trading?"),
    el("p", "small", "The same as --halt: closes as the setup says, and nothing starts again until --resume."),
    ...(last.strategies.length > 1 ? [whichLabel] : []), reasonLabel, secretLabel, said, el("div", "buttons", cancel, go));
  const dialog = el("dialog", "", form);
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    said.textContent = "asking …";
    const problem = await halt(reason.value, which.value, secret.value);
    said.textContent = problem;
    go.disabled = false;
    if (!problem) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  reason.focus();
}

async function halt(reason, strategy, secret) {
  try {
    const answer = await fetch("/halt", { method: "POST", headers: { Authorization: `Bearer ${secret}` },
      body: JSON.stringify(strategy ? { reason, strategy } : { reason }), signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.ok ? "" : (await answer.json()).error;
  } catch (error) {
    return `not asked for: ${error.message}`;
  }
}

function askForToken(problem) {
  draw("sign-in", "asked", () => {
    const [secret, label] = field("This page needs the token (BALLAST_WEB_TOKEN)", { type: "password", required: true, id: "token" });
    const form = el("form", "card", label, el("p", "answer"), el("div", "buttons", el("button", "", "Open")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      token = secret.value;
      ask();
    });
    return [form];
  });
  byId("sign-in").querySelector(".answer").textContent = token ? problem : "";
}

// -- Asking, again and again -----------------------------------------------------------------------------------------

function show(state) {
  last = state;
  answeredAt = performance.now();
  for (const part of [showControls, showStatus, showMoney, showStrategies, showLimits, showOrders, showEvents, showFooter]) part(state);
  showRun(state.run);
  byId("body").hidden = false;
  showEquity(state);
  draw("sign-in", "", () => []);
  trouble("");
  showAge();
}

function trouble(text) {
  document.body.classList.toggle("stale", text !== "");
  draw("trouble", text, () => (text ? [el("p", "trouble", text)] : []));
}

function showAge() {
  if (last === null) return;
  const secs = (performance.now() - answeredAt) / 1000;
  byId("age").textContent = `${clock(last.time_ms)} UTC, ${secs < 1.5 ? "now" : `${duration(secs)} ago`}`;
}

function explain(problem) {
  const since = last === null ? "" : ` What is below is from ${clock(last.time_ms)} UTC.`;
  trouble(`${problem}${since}`);
}

async function ask() {
  clearTimeout(waiting);
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch("/state", { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    const said = await answer.json();
    if (answer.ok) show(said);
    else if (answer.status === 401) askForToken(said.error);
    else explain(`No state: ${said.error}.`);
  } catch {
    explain("The run does not answer: it has ended, or cannot be reached.");
  }
  showAge();
  clearTimeout(waiting);
  if (!document.hidden) waiting = setTimeout(ask, EVERY_MS);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
window.addEventListener("resize", () => { if (last !== null) showEquity(last); });
ask();
