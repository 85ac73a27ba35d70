//! Plots as SVG: lines over two logarithmic axes.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 380.0;
/// The place of the axes: left, right, top, bottom.
const BOX: (f64, f64, f64, f64) = (70.0, 470.0, 40.0, 330.0);
/// Colours that people with any eyes can tell apart (Okabe and Ito).
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// Lines over two axes.
pub(crate) struct Plot {
    /// The name of its file.
    pub name: String,
    pub title: String,
    /// What the axes are.
    pub x: String,
    pub y: String,
    /// Names and points.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// A logarithmic axis.
struct Axis {
    least: f64,
    most: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(0.0, f64::max);
        // One value alone, or none, has to have some room, too.
        match least < most {
            true => Axis {
                least,
                most,
                from,
                to,
            },
            false => Axis {
                least: least.clamp(1e-3, 1e18) / 2.0,
                most: most.clamp(1e-3, 1e18) * 2.0,
                from,
                to,
            },
        }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value / self.least).ln() / (self.most / self.least).ln();
        self.from + part * (self.to - self.from)
    }

    /// Returns where to write numbers: 1, 2 and 5 of each power of ten, or only its 1 if these are many.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.least.log10().floor() as i32..=self.most.log10().ceil() as i32;
        let ticks = |digits: &[f64]| -> Vec<f64> {
            let all = powers.clone().flat_map(|power| {
                let each = digits.iter().map(move |digit| digit * 10f64.powi(power));
                each.collect::<Vec<_>>()
            });
            let margin = 1.0 + 1e-9;
            all.filter(|tick| *tick >= self.least / margin && *tick <= self.most * margin)
                .collect()
        };
        let fine = ticks(&[1.0, 2.0, 5.0]);
        let coarse = ticks(&[1.0]);
        match fine.len() > 8 && coarse.len() > 2 {
            true => coarse,
            false => fine,
        }
    }
}

impl Plot {
    /// Draws it.
    pub(crate) fn svg(&self) -> String {
        let (left, right, top, bottom) = BOX;
        let points = self.lines.iter().flat_map(|(_, points)| points);
        let x = Axis::new(points.clone().map(|point| point.0), left, right);
        let y = Axis::new(points.map(|point| point.1), bottom, top);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{left}\" y=\"22\" font-size=\"14\">{}</text>\n",
            escape(&self.title)
        );
        for tick in x.ticks() {
            let at = x.place(tick);
            line(&mut svg, (at, top), (at, bottom));
            text(&mut svg, (at, bottom + 16.0), "middle", &number(tick));
        }
        for tick in y.ticks() {
            let at = y.place(tick);
            line(&mut svg, (left, at), (right, at));
            text(&mut svg, (left - 6.0, at + 4.0), "end", &number(tick));
        }
        text(
            &mut svg,
            ((left + right) / 2.0, bottom + 38.0),
            "middle",
            &self.x,
        );
        let middle = (top + bottom) / 2.0;
        let _ = writeln!(
            svg,
            "<text transform=\"translate(18 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escape(&self.y)
        );
        for (i, (name, points)) in self.lines.iter().enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            let places = points.iter().map(|p| (x.place(p.0), y.place(p.1)));
            let path: Vec<_> = places
                .clone()
                .map(|(x, y)| format!("{x:.1},{y:.1}"))
                .collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            for (x, y) in places {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
                );
            }
            let at = top + 12.0 + 18.0 * i as f64;
            let _ = writeln!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"4\" fill=\"{colour}\"/>",
                right + 14.0,
                at - 6.0
            );
            text(&mut svg, (right + 32.0, at), "start", name);
        }
        svg += "</svg>\n";
        svg
    }
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#ddd\"/>"
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = escape(text);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn number(value: f64) -> String {
    match value {
        v if v >= 1.0 => format!("{v:.0}"),
        v if v >= 0.1 => format!("{v:.1}"),
        v if v >= 0.01 => format!("{v:.2}"),
        v => format!("{v:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_is_well_formed_and_its_points_are_inside_the_axes() {
        for points in [vec![], vec![(3.0, 0.5)], vec![(1.0, 0.02), (65536.0, 90.0)]] {
            let plot = Plot {
                name: "a".to_owned(),
                title: "a < b & c".to_owned(),
                x: "x".to_owned(),
                y: "y".to_owned(),
                lines: vec![("one".to_owned(), points.clone())],
            };
            let svg = plot.svg();
            assert!(svg.contains("a &lt; b &amp; c"), "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert_eq!(svg.matches("<circle").count(), points.len());
            for circle in svg.split("cx=\"").skip(1) {
                let x: f64 = circle.split('"').next().unwrap().parse().unwrap();
                assert!((BOX.0..=BOX.1).contains(&x), "{x}");
            }
        }
    }
}
