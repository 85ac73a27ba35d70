//! Has the program built again when a migration is added.

fn main() {
    for directory in ["migrations", "migrations-postgres"] {
        println!("cargo:rerun-if-changed={directory}");
    }
}
