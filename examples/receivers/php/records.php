<?php
// The records of the uploads in an SQLite database, for upload.php.

declare(strict_types=1);

/** The digests that a client can use here, with their digits. */
const DIGESTS = ['md5' => 32, 'sha256' => 64];

/** What is told of an upload of which nothing is here. */
const NOTHING = ['state' => 'new', 'offset' => 0];

/** Opens the database, and makes missing tables. */
function open_database(string $data): PDO
{
    $db = new PDO("sqlite:$data/uploads.db", null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $db->exec('PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL');
    if ((int) $db->query('PRAGMA user_version')->fetchColumn() < 1) {
        make_tables($db);
    }
    return $db;
}

/** Makes the table, and fills it from that of an older version of this script, which had no SHA-256 of files. */
function make_tables(PDO $db): void
{
    $db->exec('BEGIN IMMEDIATE');
    // Another request may have done it meanwhile.
    if ((int) $db->query('PRAGMA user_version')->fetchColumn() < 1) {
        $is_old = query_row($db, "SELECT 1 FROM sqlite_master WHERE name = 'uploads'", []) !== null;
        if ($is_old) {
            $db->exec('ALTER TABLE uploads RENAME TO old_uploads');
        }
        // md5, sha256: what the client says of the whole file. held: the number of durable bytes; held_md5, held_sha256:
        // their digests; midstate: the digests' inner states after them.
        $db->exec("CREATE TABLE uploads (
            id TEXT PRIMARY KEY, owner TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
            mtime TEXT NOT NULL, md5 TEXT NOT NULL, state TEXT NOT NULL, held INTEGER NOT NULL, held_md5 TEXT NOT NULL,
            midstate TEXT NOT NULL, sha256 TEXT NOT NULL DEFAULT '', held_sha256 TEXT NOT NULL DEFAULT '',
            UNIQUE (owner, dir, name, size, md5, sha256, mtime))");
        if ($is_old) {
            $columns = 'id, owner, dir, name, size, mtime, md5, state, held, held_md5, midstate';
            $db->exec("INSERT INTO uploads ($columns) SELECT $columns FROM old_uploads; DROP TABLE old_uploads");
        }
        $db->exec('CREATE INDEX uploads_by_md5 ON uploads (held_md5, size);
            CREATE INDEX uploads_by_sha256 ON uploads (held_sha256, size); PRAGMA user_version = 1');
    }
    $db->exec('COMMIT');
}

/** Returns the first row of a query, or null. */
function query_row(PDO $db, string $sql, array $values): ?array
{
    $statement = $db->prepare($sql);
    $statement->execute($values);
    return $statement->fetch(PDO::FETCH_ASSOC) ?: null;
}

/** Finds the owner's upload with this id. */
function find_upload(PDO $db, string $owner, string $id): ?array
{
    return query_row($db, 'SELECT * FROM uploads WHERE owner = ? AND id = ?', [$owner, $id]);
}

/**
 * Finds the upload of a file. A digest that both have decides, else the time. Without a time, digests of different kinds
 * tell nothing.
 */
function find_file(PDO $db, array $file): ?array
{
    return query_row($db, "SELECT *, :md5 <> '' AND whole_md5 = :md5 OR :sha256 <> '' AND whole_sha256 = :sha256 AS known
        FROM (SELECT *, CASE state WHEN 'complete' THEN held_md5 ELSE md5 END AS whole_md5,
            CASE state WHEN 'complete' THEN held_sha256 ELSE sha256 END AS whole_sha256
            FROM uploads WHERE owner = :owner AND dir = :dir AND name = :name AND size = :size)
        WHERE (:md5 = '' OR whole_md5 IN ('', :md5)) AND (:sha256 = '' OR whole_sha256 IN ('', :sha256)) AND (known
            OR mtime = :mtime AND (mtime <> '' OR whole_md5 || whole_sha256 = '' OR :md5 || :sha256 = ''))
        ORDER BY known DESC, :md5 || :sha256 <> '' AND state = 'complete' DESC", $file);
}

/** Finds the upload of a file, or makes one. */
function find_or_make(PDO $db, array $file): array
{
    $upload = find_file($db, $file);
    if ($upload === null) {
        $db->prepare("INSERT OR IGNORE INTO uploads VALUES (:id, :owner, :dir, :name, :size, :mtime, :md5, 'new', 0,
            :empty_md5, '', :sha256, :empty_sha256)")->execute($file + ['id' => bin2hex(random_bytes(16)),
            'empty_md5' => hash('md5', ''), 'empty_sha256' => hash('sha256', '')]);
        // The new row, or that of a concurrent request.
        $upload = find_file($db, $file);
    }
    return $upload;
}

/** Finds the upload that a discard is about: the one with this id, or else the file's. */
function find_to_discard(PDO $db, array $file, string $id): ?array
{
    $upload = $id === '' ? find_file($db, $file) : find_upload($db, $file['owner'], $id);
    $is_same = fn (string $name): bool => (string) $upload[$name] === (string) $file[$name];
    return $upload !== null && $is_same('dir') && $is_same('name') && $is_same('size') ? $upload : null;
}

/** Finds the owner's finished upload with the same content. */
function find_content(PDO $db, array $file, array $digests): ?array
{
    $name = $file['md5'] === '' ? 'sha256' : 'md5';
    $upload = query_row($db,
        "SELECT * FROM uploads WHERE held_$name = ? AND size = ? AND owner = ? AND state = 'complete'",
        [$file[$name], $file['size'], $file['owner']]);
    foreach ($upload === null ? [] : array_filter($digests) as $name => $digest) {
        $upload = $upload !== null && $digest === held_digest($upload, $name) ? $upload : null;
    }
    return $upload;
}

/** Saves the state of an upload durably. Returns the upload. */
function save(PDO $db, array $upload, string $state, int $offset, array $digests): array
{
    $changes = ['state' => $state, 'held' => $offset, 'held_md5' => hex_digest($digests[0]),
        'held_sha256' => hex_digest($digests[1]), 'midstate' => base64_encode(serialize($digests))];
    $db->prepare('UPDATE uploads SET state = ?, held = ?, held_md5 = ?, held_sha256 = ?, midstate = ? WHERE id = ?')
        ->execute([...array_values($changes), $upload['id']]);
    return $changes + $upload;
}

/** Drops all bytes of an upload. */
function reset_upload(PDO $db, string $data, array $upload): array
{
    if ($upload['state'] === 'complete') {
        // What clients said of the whole file was said of the bytes that are dropped.
        $db->prepare("UPDATE OR IGNORE uploads SET md5 = '', sha256 = '' WHERE id = ?")->execute([$upload['id']]);
        [$upload['md5'], $upload['sha256']] = ['', ''];
    }
    $fresh = save($db, $upload, 'partial', 0, [hash_init('md5'), hash_init('sha256')]);
    // The file is not truncated, since another upload may share it.
    @unlink("$data/files/{$upload['id']}");
    return $fresh;
}

/** Deletes an unfinished upload. Returns what is told of it then. */
function delete_upload(PDO $db, string $data, array $upload): array
{
    @unlink("$data/files/{$upload['id']}");
    $db->prepare('DELETE FROM uploads WHERE id = ?')->execute([$upload['id']]);
    return NOTHING;
}

/** Returns the MD5 and SHA-256 of the stored bytes, to continue with. */
function digests(array $upload): array
{
    return $upload['midstate'] === ''
        ? [hash_init('md5'), hash_init('sha256')]
        : unserialize(base64_decode($upload['midstate']), ['allowed_classes' => [HashContext::class]]);
}

/** Returns a digest in hexadecimal, without ending it. */
function hex_digest(HashContext $digest): string
{
    return hash_final(hash_copy($digest));
}

/** Returns a digest of the bytes that are held. */
function held_digest(array $upload, string $name): string
{
    // Uploads of an older version of this script have their SHA-256 in the state only.
    return $upload["held_$name"] ?: hex_digest(digests($upload)[array_search($name, array_keys(DIGESTS))]);
}
