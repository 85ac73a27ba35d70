//! The settings of each connection to a database.

use sqlx::AnyConnection;

/// So that what was confirmed survives a power cut. The checkpoint makes durable what an earlier process left in the log,
/// before any client is told of it.
const SQLITE: &[&str] = &[
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_checkpoint(TRUNCATE)",
];

/// The server may have other settings; all of synchronous_commit but `off` are strong enough.
///
/// Each statement on many rows has an index with these rows in its order, and takes few of them. PostgreSQL does not know how
/// few, and would rather read and sort all, in several processes, by a program that it compiles.
const POSTGRES: &[&str] = &[
    "SELECT set_config('client_min_messages', 'warning', false),
            set_config('default_transaction_isolation', 'read committed', false),
            set_config('synchronous_commit',
                       CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                       ELSE current_setting('synchronous_commit') END, false)",
    "SELECT set_config('enable_seqscan', 'off', false),
            set_config('enable_bitmapscan', 'off', false),
            set_config('enable_sort', 'off', false),
            set_config('max_parallel_workers_per_gather', '0', false),
            set_config('jit', 'off', false)",
];

/// A receiver that stands still must not keep the others from rows that it has locked.
const SHARED: &str = "SELECT set_config('idle_in_transaction_session_timeout', '3000', false)";

/// Sets what a connection needs.
pub async fn set_up(connection: &mut AnyConnection, is_shared: bool) -> sqlx::Result<()> {
    let statements = match connection.backend_name() {
        "SQLite" => SQLITE,
        _ => POSTGRES,
    };
    let shared = is_shared.then_some(&SHARED);
    for statement in statements.iter().chain(shared) {
        sqlx::query(*statement).execute(&mut *connection).await?;
    }
    Ok(())
}
