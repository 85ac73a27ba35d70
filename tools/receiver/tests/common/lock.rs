//! The lock of a receiver's database, as another program holds it.

use resup_test_support::postgres;
use sqlx::{AnyConnection, Connection};
use tokio::runtime::Runtime;

use super::Receiver;

/// The lock: nobody else writes to the database.
pub struct Lock {
    runtime: Runtime,
    database: AnyConnection,
}

impl Lock {
    pub fn take(receiver: &Receiver) -> Self {
        let runtime = Runtime::new().unwrap();
        sqlx::any::install_default_drivers();
        let (url, statements) = match postgres::database_of(receiver.data()) {
            Some(url) => (
                url,
                &["BEGIN", "LOCK TABLE uploads, nonces IN EXCLUSIVE MODE"][..],
            ),
            None => {
                let path = receiver.data().join("receiver.sqlite");
                let url = format!("sqlite://{}", path.display());
                (url, &["BEGIN IMMEDIATE"][..])
            }
        };
        let database = runtime.block_on(AnyConnection::connect(&url)).unwrap();
        let mut lock = Self { runtime, database };
        statements.iter().for_each(|statement| lock.run(statement));
        lock
    }

    pub fn release(mut self) {
        self.run("ROLLBACK");
    }

    fn run(&mut self, query: &'static str) {
        let done = sqlx::query(query).execute(&mut self.database);
        self.runtime.block_on(done).unwrap();
    }
}
