//! The users and their tokens in the database.

use sqlx::any::AnyRow;
use sqlx::Row;

use crate::accounts::{secret, Accounts};
use crate::storage::changes::now;
use crate::storage::store::StoreError;

/// A user as a list shows it.
pub struct User {
    /// The name.
    pub name: String,
    /// How many tokens there are.
    pub tokens: i64,
    /// Milliseconds since 1970.
    pub created: i64,
}

/// A token as a list shows it.
pub struct Token {
    /// By which it is revoked.
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// What the user calls it.
    pub label: String,
    /// Milliseconds since 1970.
    pub created: i64,
}

impl Accounts {
    /// Whether there is any user, so that one has to log in.
    pub async fn any_user(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT name FROM users LIMIT 1");
        Ok(row.fetch_optional(&self.pool).await?.is_some())
    }

    /// The hash of a user's password.
    pub async fn password(&self, user: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT password FROM users WHERE name = $1")
            .bind(user)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("password")).transpose()?)
    }

    /// Adds a user; `false` when there is one of that name, in whatever case.
    pub async fn add_user(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO users (name, folded, password, created) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(name.to_lowercase())
        .bind(password)
        .bind(now())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a user another password and ends the logins; `false` when there is no such user.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query("UPDATE users SET password = $2 WHERE name = $1")
            .bind(name)
            .bind(password)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE owner = $1")
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Removes a user with all tokens and logins; `false` when there is no such user.
    pub async fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mut removed = 0;
        for query in [
            "DELETE FROM sessions WHERE owner = $1",
            "DELETE FROM tokens WHERE owner = $1",
            "DELETE FROM users WHERE name = $1",
        ] {
            let done = sqlx::query(query).bind(name);
            removed = done.execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(removed == 1)
    }

    /// All users by name.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = sqlx::query(
            "SELECT name, created,
                    (SELECT COUNT(*) FROM tokens WHERE tokens.owner = users.name) AS tokens
             FROM users ORDER BY name",
        );
        let rows = rows.fetch_all(&self.pool).await?;
        let user = |row: &AnyRow| {
            Ok(User {
                name: row.try_get("name")?,
                tokens: row.try_get("tokens")?,
                created: row.try_get("created")?,
            })
        };
        rows.iter().map(user).collect()
    }

    /// Makes a token for a user and returns it; `None` when there is no such user.
    pub async fn add_token(&self, owner: &str, label: &str) -> Result<Option<String>, StoreError> {
        let token = format!("resup_{}", secret::random()?);
        let id = &secret::random()?[..8];
        let done = sqlx::query(
            "INSERT INTO tokens (id, owner, label, hash, created)
             SELECT $1, name, $3, $4, $5 FROM users WHERE name = $2",
        )
        .bind(id)
        .bind(owner)
        .bind(label)
        .bind(secret::hash(&token))
        .bind(now())
        .execute(&self.pool)
        .await?;
        Ok((done.rows_affected() == 1).then_some(token))
    }

    /// Whose token it is.
    pub async fn token_owner(&self, token: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT owner FROM tokens WHERE hash = $1")
            .bind(secret::hash(token))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("owner")).transpose()?)
    }

    /// All tokens, or one user's.
    pub async fn tokens(&self, owner: Option<&str>) -> Result<Vec<Token>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM tokens WHERE $1 = '' OR owner = $1 ORDER BY owner, created")
                .bind(owner.unwrap_or(""))
                .fetch_all(&self.pool)
                .await?;
        let token = |row: &AnyRow| {
            Ok(Token {
                id: row.try_get("id")?,
                owner: row.try_get("owner")?,
                label: row.try_get("label")?,
                created: row.try_get("created")?,
            })
        };
        rows.iter().map(token).collect()
    }

    /// Makes a token worthless; `false` when there is none with this id.
    pub async fn revoke(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM tokens WHERE id = $1").bind(id);
        Ok(done.execute(&self.pool).await?.rows_affected() == 1)
    }
}
