//! Searches for the upload of a file, and for its content.

use crate::storage::database::signed;
use crate::storage::error::StoreError;
use crate::storage::record::{Identity, Record};
use crate::storage::store::{record, Store};

impl Store {
    /// Finds the upload of this file: by the digests of the whole file that the client gave, else by modification time.
    ///
    /// A client may know a digest only after its first request, or know another one by now: an upload that has no
    /// digest to compare and the same modification time is the same file. An unfinished upload that is only known by its
    /// id is never found: its client sends bytes that nothing compares with the file.
    pub async fn find_file(&self, file: &Identity) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM (
               SELECT *, CASE
                 WHEN ($5 <> '' AND (md5 = $5 OR (state = 'complete' AND content_md5 = $5)))
                   OR ($7 <> '' AND (sha256 = $7 OR (state = 'complete' AND content_sha256 = $7)))
                   OR ($8 <> '' AND (blake3 = $8 OR (state = 'complete' AND content_blake3 = $8)))
                 THEN 0
                 WHEN mtime = $6 AND $5 = '' AND $7 = '' AND $8 = ''
                 THEN 1
                 WHEN mtime = $6 AND (mtime <> '' OR md5 = '')
                   AND ($5 = '' OR (state <> 'complete' AND (md5 = '' OR md5 LIKE '%:%'))
                                OR (state = 'complete' AND content_md5 = ''))
                   AND ($7 = '' OR (state <> 'complete' AND sha256 = '')
                                OR (state = 'complete' AND content_sha256 = ''))
                   AND ($8 = '' OR (state <> 'complete' AND blake3 = '')
                                OR (state = 'complete' AND content_blake3 = ''))
                 THEN 2
                 END AS way
               FROM uploads
               WHERE owner = $1 AND dir = $2 AND name = $3 AND size = $4
                 AND (state = 'complete' OR md5 NOT LIKE '%@%')) AS found
             WHERE way IS NOT NULL
             ORDER BY way,
                      CASE WHEN way = 0 AND state = 'complete' THEN 0 ELSE 1 END,
                      CASE WHEN md5 = $5 THEN 0 ELSE 1 END,
                      changed DESC
             LIMIT 1",
        )
        .bind(&file.owner)
        .bind(&file.dir)
        .bind(&file.name)
        .bind(signed(file.size))
        .bind(file.md5())
        .bind(&file.mtime)
        .bind(&file.sha256)
        .bind(&file.blake3)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// Finds the finished upload of an owner that was joined as this header says.
    pub async fn find_joined(
        &self,
        owner: &str,
        concat: &str,
    ) -> Result<Option<Record>, StoreError> {
        let row = sqlx::query(
            "SELECT * FROM uploads
             WHERE owner = $1 AND concat = $2 AND concat <> '' AND state = 'complete'
             ORDER BY changed DESC
             LIMIT 1",
        )
        .bind(owner)
        .bind(concat)
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// Finds finished uploads of the same owner that have one of the file's digests: several, since a file may be gone.
    pub async fn find_content(&self, file: &Identity) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM uploads
             WHERE owner = $1 AND size = $2 AND state = 'complete'
               AND (($3 <> '' AND content_md5 = $3) OR ($4 <> '' AND content_sha256 = $4)
                 OR ($5 <> '' AND content_blake3 = $5))
             LIMIT 10",
        )
        .bind(&file.owner)
        .bind(signed(file.size))
        .bind(file.md5())
        .bind(&file.sha256)
        .bind(&file.blake3)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(record).collect()
    }
}
