//! Prints medians, spreads and ratios, each on a line.

use crate::child::Cost;

/// The costs of all runs of one command.
pub(crate) struct Runs {
    name: &'static str,
    costs: Vec<Cost>,
}

impl Runs {
    pub(crate) fn new(name: &'static str) -> Self {
        Runs {
            name,
            costs: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, cost: Cost) {
        self.costs.push(cost);
    }

    pub(crate) fn wall(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.wall))
    }

    pub(crate) fn cpu(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.cpu))
    }

    pub(crate) fn show(&self) {
        let walls = || self.costs.iter().map(|cost| cost.wall);
        let least = walls().fold(f64::INFINITY, f64::min);
        let most = walls().fold(0.0, f64::max);
        let peak = self.costs.iter().map(|cost| cost.peak).max().unwrap_or(0);
        println!(
            "  {:<34} {:>7.2} s  ({least:.2} to {most:.2})  cpu {:>6.2} s  peak {:>6.1} MiB",
            self.name,
            self.wall(),
            self.cpu(),
            peak as f64 / 1024.0
        );
    }
}

/// Prints a ratio beside its target.
pub(crate) fn ratio(name: &str, value: f64, target: f64) {
    let verdict = if value <= target { "reached" } else { "missed" };
    println!("  {name:<34} {value:>7.2} ×  target {target:.2} ×: {verdict}");
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = numbers.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
