//! The costs of runs, and the table of what is to be reached.

use crate::child::Cost;

/// The costs of all runs of one kind.
pub(crate) struct Runs {
    pub name: String,
    pub costs: Vec<Cost>,
    /// Why there are no more.
    pub problem: Option<String>,
}

impl Runs {
    pub(crate) fn new(name: &str) -> Self {
        Runs {
            name: name.to_owned(),
            costs: Vec::new(),
            problem: None,
        }
    }

    /// Adds a run, unless an earlier one could not be measured.
    pub(crate) fn add(&mut self, run: impl FnOnce() -> Result<Cost, String>) {
        if self.problem.is_none() {
            match run() {
                Ok(cost) => self.costs.push(cost),
                Err(problem) => self.problem = Some(problem),
            }
        }
    }

    /// Returns the costs, or why there are none.
    pub(crate) fn measured(&self) -> Result<&[Cost], String> {
        match &self.problem {
            Some(problem) => Err(problem.clone()),
            None if self.costs.is_empty() => Err("not measured".to_owned()),
            None => Ok(&self.costs),
        }
    }

    pub(crate) fn median(&self, of: fn(&Cost) -> f64) -> f64 {
        median(self.costs.iter().map(of))
    }

    /// Returns the costs of both, one after the other.
    pub(crate) fn and(&self, other: &Runs) -> Runs {
        let pairs = self.costs.iter().zip(&other.costs);
        Runs {
            name: format!("{} and {}", self.name, other.name),
            costs: pairs.map(|(a, b)| a.clone().then(b.clone())).collect(),
            problem: self.problem.clone().or_else(|| other.problem.clone()),
        }
    }
}

/// What makes one run.
pub(crate) type Run<'a> = dyn FnMut() -> Result<Cost, String> + 'a;

/// Makes `count` runs of each kind, all kinds in turn.
pub(crate) fn in_turn<'a>(count: u64, kinds: Vec<(&str, Box<Run<'a>>)>) -> Vec<Runs> {
    let (names, mut kinds): (Vec<_>, Vec<_>) = kinds.into_iter().unzip();
    let mut all: Vec<_> = names.into_iter().map(Runs::new).collect();
    for _ in 0..count {
        for (runs, run) in all.iter_mut().zip(&mut kinds) {
            runs.add(run);
        }
    }
    all
}

pub(crate) fn wall(cost: &Cost) -> f64 {
    cost.wall
}

/// Returns the processor time of client and server.
pub(crate) fn cpu(cost: &Cost) -> f64 {
    cost.cpu + cost.server
}

pub(crate) fn client_cpu(cost: &Cost) -> f64 {
    cost.cpu
}

/// A number that was measured, and between which others it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub value: f64,
    pub least: f64,
    pub most: f64,
}

impl Figure {
    /// Makes the median of numbers.
    pub(crate) fn of(numbers: impl Iterator<Item = f64> + Clone) -> Self {
        Figure {
            value: median(numbers.clone()),
            least: numbers.clone().fold(f64::INFINITY, f64::min),
            most: numbers.fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// Makes the ratio of two medians; the spread is that of the runs that were made next to each other.
    pub(crate) fn ratio(a: &Runs, b: &Runs, of: fn(&Cost) -> f64) -> Result<Self, String> {
        let pairs = a.measured()?.iter().zip(b.measured()?);
        let mut figure = Figure::of(pairs.map(|(a, b)| of(a) / of(b)));
        figure.value = a.median(of) / b.median(of);
        if figure.value.is_finite() {
            return Ok(figure);
        }
        Err("too short to be measured; BENCH_SIZE makes it longer".to_owned())
    }
}

/// What a figure has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Nothing: the figure is only shown.
    Shown,
}

/// A row of the table.
pub(crate) struct Row {
    pub what: String,
    pub against: String,
    pub unit: &'static str,
    pub target: Target,
    /// What was measured, or why nothing was.
    pub figure: Result<Figure, String>,
}

impl Row {
    /// Returns the figure, the target, and whether it is reached.
    pub(crate) fn cells(&self) -> [String; 3] {
        let unit = self.unit;
        let target = match self.target {
            Target::AtMost(most) => format!("≤ {most} {unit}"),
            Target::AtLeast(least) => format!("≥ {least} {unit}"),
            Target::Shown => "–".to_owned(),
        };
        let figure = match &self.figure {
            Ok(figure) => figure,
            Err(reason) => return ["–".to_owned(), target, format!("not measured: {reason}")],
        };
        let reached = match self.target {
            Target::AtMost(most) => Some(figure.value <= most),
            Target::AtLeast(least) => Some(figure.value >= least),
            Target::Shown => None,
        };
        let verdict = match reached {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "–",
        };
        let Figure { value, least, most } = figure;
        let spread = match least < most {
            true => format!(" ({least:.2}–{most:.2})"),
            false => String::new(),
        };
        [
            format!("{value:.2} {unit}{spread}"),
            target,
            verdict.to_owned(),
        ]
    }
}

pub(crate) fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = numbers.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
