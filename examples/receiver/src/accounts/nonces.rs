//! Numbers of signed forms: each is good once, also after a restart.

use crate::accounts::Accounts;
use crate::storage::changes::now;
use crate::storage::store::StoreError;

impl Accounts {
    /// Takes note of a nonce for so many milliseconds; `false` when it was seen before.
    pub async fn is_new(&self, nonce: &str, milliseconds: i64) -> Result<bool, StoreError> {
        // In one transaction, since each is made durable.
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM nonces WHERE expires < $1")
            .bind(now())
            .execute(&mut *transaction)
            .await?;
        let done = sqlx::query(
            "INSERT INTO nonces (nonce, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(nonce)
        .bind(now() + milliseconds)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}
