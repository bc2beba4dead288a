// Draws <canvas data-chart-table="id" data-chart="bar"> from the table with that id, which says the same to everybody:
// first column = labels, each <th data-series> = a series, each cell's data-value = its number.
(() => {
  "use strict";
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = () => ["--chart-1", "--chart-2", "--chart-3", "--chart-4"].map(colour);

  function figures(table, type) {
    const heads = [...table.querySelectorAll("thead th")];
    const rows = [...table.querySelectorAll("tbody tr")];
    const series = heads.map((head, index) => ({ head, index })).filter(({ head }) => "series" in head.dataset);
    return {
      labels: rows.map((line) => line.cells[0].textContent.trim()),
      datasets: series.map(({ head, index }, place) => ({
        label: head.textContent.trim(),
        data: rows.map((line) => Number(line.cells[index].dataset.value)),
        backgroundColor: palette()[place % 4],
        borderColor: palette()[place % 4],
        borderRadius: 3,
        borderWidth: type === "bar" ? 0 : 2,
        pointRadius: 2,
        maxBarThickness: 28,
        tension: 0.25,
      })),
    };
  }

  function draw(canvas) {
    const currency = { style: "currency", currency: canvas.dataset.currency || "USD" };
    const exact = new Intl.NumberFormat("en", currency);
    const round = new Intl.NumberFormat("en", { ...currency, maximumFractionDigits: 0 });
    const shown = (value, format) => (canvas.dataset.unit === "cents" ? format.format(value / 100) : value);
    const data = figures(document.getElementById(canvas.dataset.chartTable), canvas.dataset.chart);
    const grid = { color: colour("--bs-border-color-translucent") };
    const ticks = { color: colour("--bs-secondary-color") };
    return new Chart(canvas, {
      type: canvas.dataset.chart,
      data,
      options: {
        maintainAspectRatio: false,
        animation: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: data.datasets.length > 1, labels: { ...ticks, boxWidth: 12, boxHeight: 12 } },
          tooltip: { callbacks: { label: (point) => `${point.dataset.label}: ${shown(point.parsed.y, exact)}` } },
        },
        scales: {
          x: { grid: { display: false }, ticks },
          y: { grid, border: { display: false }, ticks: { ...ticks, maxTicksLimit: 6, callback: (value) => shown(value, round) } },
        },
      },
    });
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const redraw = () => {
    charts.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-chart]").forEach((canvas) => charts.push(draw(canvas)));
  };
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  redraw();
})();
