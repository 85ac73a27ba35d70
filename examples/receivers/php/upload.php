<?php
// A receiver for resup in one file (docs/PROTOCOL.md), for PHP 8.1 or later. README.md tells how it is run.
//
// PHP hands a body on when it is whole: what arrived of a broken request is lost, so that segments are small.
// Whoever the web server has let in (REMOTE_USER) owns what he uploads.

declare(strict_types=1);

$data = getenv('RESUP_DATA') ?: sys_get_temp_dir() . '/resup-php';
@mkdir("$data/files", 0700, true);
@mkdir("$data/locks");

/** What is answered instead. */
final class Refusal extends Exception
{
    public function __construct(public readonly int $status, string $message, public readonly array $members = [])
    {
        parent::__construct($message);
    }
}

/** A setting of php.ini in bytes. */
function ini_bytes(string $name): int
{
    $text = (string) ini_get($name);
    $units = ['k' => 1 << 10, 'm' => 1 << 20, 'g' => 1 << 30];
    // 0 is no limit.
    return (int) $text * ($units[strtolower(substr($text, -1))] ?? 1) ?: PHP_INT_MAX;
}

/** The most file bytes of one send: what PHP takes, less the form around it. */
function max_segment(): int
{
    return min(ini_bytes('upload_max_filesize'), ini_bytes('post_max_size') - 65536);
}

function database(string $data): PDO
{
    $db = new PDO("sqlite:$data/uploads.db", null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    $db->exec('PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL');
    // held: bytes that are durable; held_md5: their digest; midstate: the digests' inner states after them.
    $db->exec("CREATE TABLE IF NOT EXISTS uploads (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
        mtime TEXT NOT NULL, md5 TEXT NOT NULL, state TEXT NOT NULL, held INTEGER NOT NULL,
        held_md5 TEXT NOT NULL, midstate TEXT NOT NULL, UNIQUE (owner, dir, name, size, md5, mtime))");
    $db->exec('CREATE INDEX IF NOT EXISTS uploads_by_content ON uploads (held_md5, size)');
    return $db;
}

function row(PDO $db, string $sql, array $values): ?array
{
    $statement = $db->prepare($sql);
    $statement->execute($values);
    return $statement->fetch(PDO::FETCH_ASSOC) ?: null;
}

function find(PDO $db, string $owner, string $id): ?array
{
    return row($db, 'SELECT * FROM uploads WHERE owner = ? AND id = ?', [$owner, $id]);
}

/** MD5 and SHA-256 of the bytes that are held, to go on from. */
function digests(array $upload): array
{
    return $upload['midstate'] === ''
        ? [hash_init('md5'), hash_init('sha256')]
        : unserialize(base64_decode($upload['midstate']), ['allowed_classes' => [HashContext::class]]);
}

function told(HashContext $digest): string
{
    return hash_final(hash_copy($digest));
}

/** Makes durable how an upload stands. */
function save(PDO $db, array $upload, string $state, int $held, array $digests): array
{
    $now = ['state' => $state, 'held' => $held, 'held_md5' => told($digests[0]),
        'midstate' => base64_encode(serialize($digests))];
    $db->prepare('UPDATE uploads SET state = ?, held = ?, held_md5 = ?, midstate = ? WHERE id = ?')
        ->execute([...array_values($now), $upload['id']]);
    return $now + $upload;
}

function reset_upload(PDO $db, string $data, array $upload): array
{
    $fresh = save($db, $upload, 'partial', 0, [hash_init('md5'), hash_init('sha256')]);
    // Not emptied: another upload may share it.
    @unlink("$data/files/{$upload['id']}");
    return $fresh;
}

/** The fields of the form; PHP has read them. */
function field(array $form, string $name, ?string $otherwise = null): string
{
    $value = $form[$name] ?? $otherwise ?? throw new Refusal(400, "field '$name' is missing");
    if (!is_string($value) || !preg_match('//u', $value)) {
        throw new Refusal(400, "field '$name' is no text in UTF-8");
    }
    return $value;
}

function matching(array $form, string $name, string $pattern, ?string $otherwise = null): string
{
    $value = field($form, $name, $otherwise);
    if ($value !== $otherwise && !preg_match($pattern, $value)) {
        throw new Refusal(400, "field '$name' cannot be what it is");
    }
    return $value;
}

function number(array $form, string $name): int
{
    return (int) matching($form, $name, '/^[0-9]{1,18}$/D');
}

function digest(array $form, string $name, int $digits): string
{
    return strtolower(matching($form, $name, "/^[0-9a-fA-F]{{$digits}}$/D", ''));
}

/** No path is ever built of names here; but who reads the records may build one. */
function file_name(string $field, string $name): string
{
    if ($name === '.' || $name === '..' || !preg_match('~^[^/\0]{1,255}$~Ds', $name)) {
        throw new Refusal(400, "field '$field' has a name that cannot be one");
    }
    return $name;
}

/** One request works on an upload at a time; PHP ends the lock with the request. */
function claim(string $data, string $id): mixed
{
    $lock = fopen("$data/locks/$id", 'c');
    for ($tries = 0; !flock($lock, LOCK_EX | LOCK_NB); $tries++) {
        if ($tries === 40) {
            throw new Refusal(423, 'another client is writing this upload');
        }
        usleep(50_000);
    }
    return $lock;
}

function standing(array $upload, bool $prefix): array
{
    $members = ['state' => $upload['state'], 'offset' => (int) $upload['held'], 'id' => $upload['id'],
        'max_segment' => max_segment()];
    if ($upload['state'] === 'complete') {
        $members['location'] = "files/{$upload['id']}";
    }
    return $prefix ? $members + ['prefix_md5' => $upload['held_md5']] : $members;
}

function find_or_make(PDO $db, array $file): array
{
    [$owner, $dir, $name, $size, $mtime, $md5] = $file;
    $sql = 'SELECT * FROM uploads WHERE owner = :owner AND dir = :dir AND name = :name AND size = :size AND CASE :md5
        WHEN \'\' THEN mtime = :mtime
        ELSE md5 = :md5 OR (state = \'complete\' AND held_md5 = :md5)
            OR (state <> \'complete\' AND md5 = \'\' AND mtime = :mtime) END
        ORDER BY :md5 <> \'\' AND state = \'complete\' DESC, md5 = :md5 DESC';
    $values = compact('owner', 'dir', 'name', 'size', 'mtime', 'md5');
    $known = row($db, $sql, $values);
    if ($known === null) {
        $db->prepare("INSERT OR IGNORE INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, 'new', 0, ?, '')")
            ->execute([bin2hex(random_bytes(16)), ...$file, md5('')]);
        // Mine, or that of a request which was faster.
        $known = row($db, $sql, $values);
    }
    return $known;
}

function locate(PDO $db, string $data, string $owner, array $form): array
{
    $dir = rtrim(field($form, 'dir', ''), '/') ?: field($form, 'dir', '');
    foreach ($dir === '' ? [] : explode('/', $dir) as $part) {
        file_name('dir', $part);
    }
    $mtime = matching($form, 'mtime', '/^-?[0-9]{1,18}$/D', '');
    $file = [$owner, $dir, file_name('name', field($form, 'name')), number($form, 'size'),
        $mtime === '' ? '' : (string) (int) $mtime, digest($form, 'md5', 32)];
    $id = find_or_make($db, $file)['id'];
    $lock = claim($data, $id);
    $upload = find($db, $owner, $id);
    if ($upload['state'] !== 'complete' && $file[5] !== '') {
        // A client may learn it only after its first visit.
        $db->prepare('UPDATE uploads SET md5 = ? WHERE id = ?')->execute([$file[5], $id]);
        $upload['md5'] = $file[5];
        $twin = row($db, "SELECT * FROM uploads WHERE held_md5 = ? AND size = ? AND owner = ? AND state = 'complete'",
            [$file[5], $file[3], $owner]);
        if ($twin !== null && (int) $upload['held'] === 0) {
            @unlink("$data/files/$id");
            // The twin may have begun anew meanwhile.
            if (@link("$data/files/{$twin['id']}", "$data/files/$id") && find($db, $owner, $twin['id']) === $twin) {
                $upload = save($db, $upload, 'complete', $file[3], digests($twin));
            }
        }
    }
    return standing($upload, ($form['prefix'] ?? '') === '1');
}

function send(PDO $db, string $data, string $owner, array $form, ?array $part): array
{
    $id = field($form, 'id');
    [$offset, $length, $size] = [number($form, 'offset'), number($form, 'length'), number($form, 'size')];
    [$restart, $name] = [digest($form, 'restart', 32), file_name('name', field($form, 'name'))];
    if ($restart !== '' && $offset !== 0 || $offset + $length > $size) {
        throw new Refusal(400, "offset $offset and length $length do not go with size $size or with 'restart'");
    }
    if (find($db, $owner, $id) === null) {
        throw new Refusal(404, 'no upload has this id');
    }
    $lock = claim($data, $id);
    clearstatcache();
    $upload = find($db, $owner, $id) ?? throw new Refusal(404, 'no upload has this id');
    if ($name !== $upload['name'] || $size !== (int) $upload['size']) {
        throw new Refusal(409, "upload $id is of another file");
    }
    if ($part === null) {
        throw new Refusal(400, "the part 'file' is missing");
    }
    if ($length > max_segment() || $part['error'] === UPLOAD_ERR_INI_SIZE) {
        throw new Refusal(413, 'one send carries no more than ' . max_segment(), ['max_segment' => max_segment()]);
    }
    $restarts = $restart !== '' && $restart === $upload['held_md5'];
    if ($upload['state'] === 'complete' && !$restarts) {
        return standing($upload, true);
    }
    if ($offset !== (int) $upload['held'] && !$restarts) {
        throw new Refusal(409, "offset $offset is not where this upload stands", standing($upload, true));
    }
    if ($part['error'] !== UPLOAD_ERR_OK || filesize($part['tmp_name']) !== $length) {
        throw new Refusal(400, "the part 'file' has not the $length bytes that 'length' says", standing($upload, true));
    }
    if ($restarts) {
        $upload = reset_upload($db, $data, $upload);
    }
    return write($db, $data, $upload, $part['tmp_name'], $length, $form);
}

/** Adds the bytes, makes them durable, and judges them. */
function write(PDO $db, string $data, array $upload, string $from, int $length, array $form): array
{
    $held = (int) $upload['held'];
    if ($held === 0) {
        @unlink("$data/files/{$upload['id']}");
    }
    $digests = digests($upload);
    [$in, $out] = [fopen($from, 'rb'), fopen("$data/files/{$upload['id']}", 'cb')];
    ftruncate($out, $held);
    fseek($out, $held);
    while (($bytes = fread($in, 1 << 16)) !== '' && $bytes !== false) {
        if (@fwrite($out, $bytes) !== strlen($bytes)) {
            throw new Refusal(507, 'the receiver has no room left');
        }
        array_map(fn ($digest) => hash_update($digest, $bytes), $digests);
    }
    if (!fsync($out)) {
        throw new Refusal(507, 'the receiver has no room left');
    }
    $whole = $held + $length === (int) $upload['size'];
    [$md5, $sha256] = array_map('told', $digests);
    $due = [[digest($form, 'prefix_md5', 32), $md5]];
    if ($whole) {
        $due[] = [digest($form, 'md5', 32), $md5];
        $due[] = [$upload['md5'], $md5];
        $due[] = [digest($form, 'sha256', 64), $sha256];
    }
    foreach ($due as [$said, $found]) {
        if ($said !== '' && $said !== $found) {
            // Of a whole file nobody knows which of the bytes are wrong.
            $upload = $whole ? reset_upload($db, $data, $upload) : $upload;
            throw new Refusal(422, 'the digest of what arrived is not the one that the client sent',
                ['error' => 'digest'] + standing($upload, true));
        }
    }
    return standing(save($db, $upload, $whole ? 'complete' : 'partial', $held + $length, $digests), true);
}

/** What is answered, as status and members. */
function answer(string $data): array
{
    $method = $_SERVER['REQUEST_METHOD'];
    $type = strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '')[0]));
    [$urlencoded, $multipart] = ['application/x-www-form-urlencoded', 'multipart/form-data'];
    try {
        $owner = (string) ($_SERVER['REMOTE_USER'] ?? '');
        $form = $method === 'GET' ? $_GET : $_POST;
        if ($method !== 'GET' && ($method !== 'POST' || !in_array($type, [$urlencoded, $multipart]))) {
            throw new Refusal(415, 'forms come by GET or by POST');
        }
        if ((int) ($_SERVER['CONTENT_LENGTH'] ?? 0) > ini_bytes('post_max_size')) {
            throw new Refusal(413, 'PHP takes no request of this size', ['max_segment' => max_segment()]);
        }
        $user = field($form, 'user', '');
        if ($owner !== '' && $user !== '' && $user !== $owner) {
            throw new Refusal(403, "the field 'user' says another name than the login");
        }
        return [200, match ([field($form, 'action'), $type === $multipart]) {
            ['locate', false] => locate(database($data), $data, $owner, $form),
            ['send', true] => send(database($data), $data, $owner, $form, $_FILES['file'] ?? null),
            default => throw new Refusal(400, "field 'action' is not that of such a form"),
        }];
    } catch (Refusal $refusal) {
        return [$refusal->status, $refusal->members + ['message' => $refusal->getMessage()]];
    } catch (Throwable $error) {
        error_log((string) $error);
        return [500, ['message' => 'the receiver failed; its log says why']];
    }
}

[$status, $members] = answer($data);
$json = json_encode($members, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
http_response_code($status);
header('Content-Type: application/json');
header('Cache-Control: no-store');
header('Content-Length: ' . strlen($json));
echo $json;
