"use strict";
// What the tables of a page can do: be saved as CSV, and tell what a figure means where there is no pointer to rest.

const NUMBER = /^([+−]?)([\d,]+(?:\.\d+)?)(?: (\S+))?$/;

// The cells of a column as a spreadsheet reads them: a unit that all of them have goes into the heading.
const plainColumn = (heading, cells) => {
  const parts = cells.map((cell) => NUMBER.exec(cell));
  const units = new Set(parts.filter(Boolean).map((part) => part[3] || ""));
  const numbers = units.size <= 1 && cells.every((cell, row) => parts[row] || cell === "" || cell === "—");
  if (!numbers) return [heading, ...cells.map((cell) => cell.replaceAll("−", "-"))];
  const [unit = ""] = units;
  const written = ([, sign, digits]) => sign.replace("+", "").replace("−", "-") + digits.replaceAll(",", "");
  return [unit ? `${heading} (${unit})` : heading, ...parts.map((part) => (part ? written(part) : ""))];
};

// A table as it stands on the page, as CSV; the heading of a group of rows goes in front of their names.
const asCsv = (table) => {
  const rows = [];
  let group = "";
  for (const { cells } of table.tBodies[0].rows) {
    const [first, ...rest] = Array.from(cells, (cell) => cell.textContent);
    if (cells[0].colSpan > 1) group = `${first}: `;
    else rows.push([group + first, ...rest]);
  }
  const headings = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent);
  const columns = headings.map((heading, place) => plainColumn(heading, rows.map((row) => row[place] ?? "")));
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return columns[0].map((_, row) => columns.map((column) => quoted(column[row])).join(",") + "\n").join("");
};

const save = (name, content) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name.replace(/[^\w.-]+/g, "-") + ".csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

for (const table of document.querySelectorAll(".card table")) {
  const heading = table.closest(".card").querySelector("h3");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "csv";
  button.textContent = "CSV";
  button.title = "Save this table as a CSV file.";
  button.addEventListener("click", () => save(`${document.title} ${heading.textContent}`, asCsv(table)));
  heading.before(button);
}

// A tap tells what resting a pointer would: the definition of what was tapped.
document.addEventListener("click", ({ target }) => {
  document.getElementById("told")?.remove();
  const defined = target.closest("[title]:not(button)");
  if (!defined) return;
  const told = document.createElement("div");
  told.id = "told";
  told.setAttribute("role", "status");
  told.textContent = defined.title;
  document.body.append(told);
});
