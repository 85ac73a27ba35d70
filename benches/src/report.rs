//! What was measured, on the terminal and in docs/BENCHMARKS.md.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::machine;
use crate::plot::Plot;
use crate::table::{cpu, wall, Figure, Row, Runs, Target};

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    costs: Vec<(String, Vec<Runs>)>,
    plots: Vec<Plot>,
}

impl Report {
    /// Adds a row of the table.
    pub(crate) fn row(
        &mut self,
        what: &str,
        against: &str,
        (target, unit): (Target, &'static str),
        figure: Result<Figure, String>,
    ) {
        self.rows.push(Row {
            what: what.to_owned(),
            against: against.to_owned(),
            unit,
            target,
            figure,
        });
    }

    /// Adds what the runs of a measurement cost, and prints it.
    pub(crate) fn costs(&mut self, title: &str, runs: Vec<Runs>) {
        println!("\n{title}: median, least to most; CPU of client, of server; memory");
        for one in &runs {
            println!("  {:<40} {}", one.name, cost_cells(one).join("  "));
        }
        self.costs.push((title.to_owned(), runs));
    }

    /// Adds a row for a measurement that came to an end before all its rows were there.
    pub(crate) fn failure(&mut self, measurement: &str, reason: String) {
        println!("\n{measurement}: {reason}");
        let target = (Target::Shown, "");
        self.row(
            &format!("the rest of \"{measurement}\""),
            "–",
            target,
            Err(reason),
        );
    }

    pub(crate) fn plot(&mut self, plot: Plot) {
        self.plots.push(plot);
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        println!();
        for row in &self.rows {
            let [figure, target, verdict] = row.cells();
            let what = match row.against.as_str() {
                "–" => row.what.clone(),
                against => format!("{}, against {against}", row.what),
            };
            println!("{what}\n    {figure:<28} target {target:<10} {verdict}");
        }
        let count = |word| self.rows.iter().filter(|r| r.cells()[2] == word).count();
        let (reached, missed) = (count("reached"), count("missed"));
        println!(
            "\n{reached} reached, {missed} missed, of {}",
            self.rows.len()
        );
    }

    /// Writes BENCHMARKS.md and the plots, which it shows.
    pub(crate) fn write(&self, dir: &Path, settings: &str) -> io::Result<()> {
        let plots = dir.join("benchmarks");
        fs::create_dir_all(&plots)?;
        for plot in &self.plots {
            fs::write(plots.join(format!("{}.svg", plot.name)), plot.svg())?;
        }
        let path = dir.join("BENCHMARKS.md");
        fs::write(&path, self.markdown(settings))?;
        println!("written: {}", path.display());
        Ok(())
    }

    fn markdown(&self, settings: &str) -> String {
        let mut text = format!(
            "# What it costs\n\n\
             `make bench` measures this and writes this page. Each figure compares two things that were measured in turn, in\n\
             one run, on one machine: the ratio of the medians, and in brackets the least and the most of the pairs. Nothing\n\
             here is a promise for another machine, and a missed target fails nothing.\n\n{}{settings}\n\n\
             ## Targets\n\n| what | against | measured | target | |\n| --- | --- | --- | --- | --- |\n",
            machine::table()
        );
        for row in &self.rows {
            let [figure, target, verdict] = row.cells();
            let (what, against) = (&row.what, &row.against);
            let _ = writeln!(
                text,
                "| {what} | {against} | {figure} | {target} | {} |",
                plain(&verdict)
            );
        }
        text += "\n## Plots\n";
        for plot in &self.plots {
            let _ = write!(text, "\n![{}](benchmarks/{}.svg)\n", plot.title, plot.name);
        }
        text += "\n## Costs\n\nMedian, least and most seconds from start to end; medians of the seconds of processor of the client and of the\n\
                 server; the most memory of the client.\n";
        for (title, runs) in &self.costs {
            let _ = write!(
                text,
                "\n### {title}\n\n| | wall | least to most | CPU, client | CPU, server | memory |\n\
                 | --- | --- | --- | --- | --- | --- |\n"
            );
            for one in runs {
                let cells = cost_cells(one).map(|cell| plain(cell.trim()));
                let _ = writeln!(text, "| {} | {} |", one.name, cells.join(" | "));
            }
        }
        text
    }
}

/// Returns text that does not end a cell of a table.
fn plain(text: &str) -> String {
    text.replace('|', "/")
}

fn cost_cells(runs: &Runs) -> [String; 5] {
    if let Err(problem) = runs.measured() {
        return [
            format!("not measured: {problem}"),
            "–".into(),
            "–".into(),
            "–".into(),
            "–".into(),
        ];
    }
    let walls = Figure::of(runs.costs.iter().map(wall));
    let peak = runs.costs.iter().map(|cost| cost.peak).max().unwrap_or(0);
    let server = runs.median(cpu) - runs.median(|cost| cost.cpu);
    [
        format!("{:>7.2} s", walls.value),
        format!("{:.2} to {:.2}", walls.least, walls.most),
        format!("{:>6.2} s", runs.median(|cost| cost.cpu)),
        format!("{:>6.2} s", server.max(0.0)),
        format!("{:>6.1} MiB", peak as f64 / 1024.0),
    ]
}
