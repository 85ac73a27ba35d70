//! Shared connections, for all but changes of uploads.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{try_unfold, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::{Any, AnyPool, Database, Describe, Either, Execute, Executor, SqlStr, Transaction};
use tokio::time::{timeout_at, Instant};

/// Connections. What is asked by them directly has a limit of time, where the database is behind a network; what is asked in a
/// transaction has none.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: AnyPool,
    limit: Option<Duration>,
}

impl Pool {
    /// Makes one of connections and a limit.
    pub fn new(connections: AnyPool, limit: Option<Duration>) -> Self {
        Self { connections, limit }
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Any>> {
        self.connections.begin().await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.connections.close().await;
    }
}

impl<'c> Executor<'c> for &'c Pool {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<<Any as Database>::QueryResult, <Any as Database>::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let rows = (&self.connections).fetch_many(query);
        let Some(limit) = self.limit else {
            return rows;
        };
        let until = Instant::now() + limit;
        try_unfold(rows, move |mut rows| async move {
            let next = timeout_at(until, rows.try_next()).await;
            let next = next.unwrap_or_else(|_| Err(silent()));
            next.map(|next| next.map(|next| (next, rows)))
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, sqlx::Result<Option<<Any as Database>::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let row = (&self.connections).fetch_optional(query);
        let Some(limit) = self.limit else {
            return row;
        };
        let until = Instant::now() + limit;
        Box::pin(async move {
            let row = timeout_at(until, row).await;
            row.unwrap_or_else(|_| Err(silent()))
        })
    }

    fn prepare_with<'e>(
        self,
        query: SqlStr,
        parameters: &'e [<Any as Database>::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<<Any as Database>::Statement>>
    where
        'c: 'e,
    {
        (&self.connections).prepare_with(query, parameters)
    }

    fn describe<'e>(self, query: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Any>>>
    where
        'c: 'e,
    {
        (&self.connections).describe(query)
    }
}

fn silent() -> sqlx::Error {
    Error::new(ErrorKind::TimedOut, "it does not answer").into()
}

/// Begins a transaction in which nobody else changes users and what belongs to them: SQLite has one writer, and in
/// PostgreSQL the table is locked against other writers.
pub async fn begin_alone(pool: &Pool) -> sqlx::Result<Transaction<'static, Any>> {
    let mut transaction = pool.begin().await?;
    if transaction.backend_name() != "SQLite" {
        sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction)
}
