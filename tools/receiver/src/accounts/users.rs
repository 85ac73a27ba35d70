//! Users and their tokens in the database.

use sqlx::any::AnyRow;
use sqlx::Row;

use crate::accounts::secret;
use crate::storage::database::{is_storable, now};
use crate::storage::error::StoreError;
use crate::storage::pool::{begin_alone, Pool};

/// A user as a list shows it.
pub struct User {
    /// The name.
    pub name: String,
    /// The number of tokens.
    pub tokens: i64,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Whether the user may see all users and what they upload.
    pub is_admin: bool,
}

/// A token as a list shows it.
pub struct Token {
    /// The id, for `token revoke`.
    pub id: String,
    /// The user's name.
    pub owner: String,
    /// The text that lists show with it.
    pub label: String,
    /// Milliseconds since 1970.
    pub created: i64,
}

/// The users and tokens.
#[derive(Clone)]
pub struct Users {
    pool: Pool,
}

impl Users {
    /// Uses the tables in a database.
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// Closes all connections to the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Whether there is any user, so that everybody has to log in.
    pub async fn any(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT name FROM users LIMIT 1");
        Ok(row.fetch_optional(&self.pool).await?.is_some())
    }

    /// Finds the hash of a user's password.
    pub async fn password(&self, user: &str) -> Result<Option<String>, StoreError> {
        if !is_storable(user) {
            return Ok(None);
        }
        let row = sqlx::query("SELECT password FROM users WHERE name = $1")
            .bind(user)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("password")).transpose()?)
    }

    /// Adds a user; `false` when there is one of that name, in upper or lower case.
    pub async fn add(&self, name: &str, password: &str, admin: bool) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO users (name, folded, password, created, admin) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING",
        )
        .bind(name)
        .bind(name.to_lowercase())
        .bind(password)
        .bind(now())
        .bind(i64::from(admin))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether the user may see all users and what they upload.
    pub async fn is_admin(&self, name: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM users WHERE name = $1 AND admin = 1").bind(name);
        Ok(query.fetch_optional(&self.pool).await?.is_some())
    }

    /// Says whether a user is an admin; `false` when there is no such user.
    pub async fn set_admin(&self, name: &str, admin: bool) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE users SET admin = $2 WHERE name = $1")
            .bind(name)
            .bind(i64::from(admin))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Sets a user's password and ends all sessions; `false` when there is no such user.
    pub async fn set_password(&self, name: &str, password: &str) -> Result<bool, StoreError> {
        let mut transaction = begin_alone(&self.pool).await?;
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
    pub async fn remove(&self, name: &str) -> Result<bool, StoreError> {
        let mut transaction = begin_alone(&self.pool).await?;
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

    /// Lists the users by name.
    pub async fn list(&self) -> Result<Vec<User>, StoreError> {
        let query = sqlx::query(
            "SELECT name, created, admin,
                    (SELECT COUNT(*) FROM tokens WHERE tokens.owner = users.name) AS tokens
             FROM users ORDER BY name",
        );
        let rows = query.fetch_all(&self.pool).await?;
        let user = |row: &AnyRow| {
            Ok(User {
                name: row.try_get("name")?,
                tokens: row.try_get("tokens")?,
                created: row.try_get("created")?,
                is_admin: row.try_get::<i64, _>("admin")? == 1,
            })
        };
        rows.iter().map(user).collect()
    }

    /// Makes a token for a user and returns it; `None` when there is no such user.
    pub async fn add_token(&self, owner: &str, label: &str) -> Result<Option<String>, StoreError> {
        let token = format!("resup_{}", secret::random()?);
        let id = &secret::random()?[..8];
        // The user is not being removed meanwhile.
        let mut transaction = begin_alone(&self.pool).await?;
        let done = sqlx::query(
            "INSERT INTO tokens (id, owner, label, hash, created)
             SELECT $1, name, $3, $4, $5 FROM users WHERE name = $2",
        )
        .bind(id)
        .bind(owner)
        .bind(label)
        .bind(secret::hash(&token))
        .bind(now())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((done.rows_affected() == 1).then_some(token))
    }

    /// Finds the user whose token it is.
    pub async fn token_owner(&self, token: &str) -> Result<Option<String>, StoreError> {
        let row = sqlx::query("SELECT owner FROM tokens WHERE hash = $1")
            .bind(secret::hash(token))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("owner")).transpose()?)
    }

    /// Lists all tokens, or one user's.
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

    /// Deletes a token; `false` when none has this id.
    pub async fn revoke_token(&self, id: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM tokens WHERE id = $1").bind(id);
        Ok(done.execute(&self.pool).await?.rows_affected() == 1)
    }
}
