// Draw the charts in the colours of the page, and again when the page changes its mode.

const charts = JSON.parse(document.getElementById("charts").textContent);
const darkMode = matchMedia("(prefers-color-scheme: dark)");

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// What the descriptions leave to the page: `shades` and `strong`, see demo/charts.py.
function withColors(key, value) {
  if (key === "range" && value === "shades") return [color("few"), color("many")];
  if (key === "value" && value === "strong") return color("on-many");
  return value;
}

function config() {
  const text = { labelColor: color("ink"), titleColor: color("soft"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  const lines = { gridColor: color("line"), domain: false, ticks: false, labelPadding: 6 };
  return {
    background: "transparent",
    font: getComputedStyle(document.body).fontFamily,
    view: { stroke: null },
    axis: { ...text, ...lines },
    bar: { stroke: color("card"), strokeWidth: 0.5 },
    legend: { ...text, labelLimit: 220, symbolStrokeWidth: 0 },
    text: { color: color("ink"), fontSize: 12 },
  };
}

async function draw() {
  for (const [name, chart] of Object.entries(charts)) {
    const { data, ...rest } = chart; // the names in the data are nobody's to replace
    const spec = { ...JSON.parse(JSON.stringify(rest), withColors), data };
    const theme = darkMode.matches ? "dark" : "light";
    const options = { actions: false, renderer: "svg", config: config(), tooltip: { theme } };
    await vegaEmbed(`#${name} .chart`, spec, options);
  }
  document.body.dataset.drawn = darkMode.matches ? "dark" : "light";
}

darkMode.addEventListener("change", draw);
draw();
