<?php
// A receiver for resup (docs/PROTOCOL.md), for PHP 8.1 or later. It needs records.php beside it. README.md says how to
// run it.
//
// PHP runs a script when the body is complete: the bytes of an interrupted request are lost, so segments are small.
// The user whom the web server has authenticated (REMOTE_USER) owns the uploads of a request.

declare(strict_types=1);

// A warning of PHP's must not be sent before the status.
ob_start();
require __DIR__ . '/records.php';
$data = getenv('RESUP_DATA') ?: sys_get_temp_dir() . '/resup-php';
@mkdir("$data/files", 0700, true);
@mkdir("$data/locks");

/** The refusal of a request: its status, message and further members of the JSON. */
final class Refusal extends Exception
{
    public function __construct(public readonly int $status, string $message, public readonly array $members = [])
    {
        parent::__construct($message);
    }
}

/** Reads a setting of php.ini in bytes. */
function ini_bytes(string $name): int
{
    $text = trim((string) ini_get($name));
    $units = ['k' => 1 << 10, 'm' => 1 << 20, 'g' => 1 << 30];
    $bytes = (int) $text * ($units[strtolower(substr($text, -1))] ?? 1);
    // PHP takes 0 and less for no limit.
    return $bytes > 0 ? (int) $bytes : PHP_INT_MAX;
}

/** Reads a setting of php.ini that is on or off. */
function ini_flag(string $name): bool
{
    // Off is empty or a word; display_errors may also be "stderr".
    return in_array(strtolower(trim((string) ini_get($name))), ['1', 'on', 'yes', 'true', 'stdout'], true);
}

/** Returns the most file bytes of one send: what PHP accepts, less the form around it. */
function max_segment(): int
{
    $post = ini_bytes('post_max_size');
    return min(ini_bytes('upload_max_filesize'), max($post - 65536, intdiv($post, 2)));
}

/** Returns the size of the largest file that comes in one request without a locate. */
function small(): int
{
    return min(256 << 10, max_segment());
}

/** Refuses all requests when PHP's settings let no upload succeed. */
function check_settings(): void
{
    if (!ini_flag('file_uploads') || (int) ini_get('max_file_uploads') < 1) {
        throw new Refusal(500, 'PHP takes no files: set file_uploads = On and max_file_uploads = 20 in php.ini');
    }
    if (max_segment() < 1000) {
        throw new Refusal(500, 'PHP takes no requests of a useful size: set upload_max_filesize and post_max_size'
            . ' in php.ini to 64M');
    }
    // PHP writes a warning about a request that is too large before this script runs.
    if (ini_flag('display_errors') && !ini_flag('output_buffering') && (int) ini_get('output_buffering') < 1) {
        throw new Refusal(500, "PHP shows its warnings instead of a response's status: set display_errors = Off"
            . ' or output_buffering = 4096 in php.ini');
    }
}

/** Returns the value of a field. PHP has parsed the form. */
function field(array $form, string $name, ?string $default = null): string
{
    $value = $form[$name] ?? $default ?? throw new Refusal(400, "field '$name' is missing");
    if (!is_string($value) || !preg_match('//u', $value)) {
        throw new Refusal(400, "field '$name' is no text in UTF-8");
    }
    return $value;
}

/** Returns the value of a field that has to match a pattern. */
function match_field(array $form, string $name, string $pattern, ?string $default = null): string
{
    $value = field($form, $name, $default);
    if ($value !== $default && !preg_match($pattern, $value)) {
        throw new Refusal(400, "field '$name' cannot be what it is");
    }
    return $value;
}

/** Reads a number of bytes. */
function number(array $form, string $name): int
{
    return (int) match_field($form, $name, '/^[0-9]{1,18}$/D');
}

/** Reads a hexadecimal digest; empty when it is missing. */
function digest(array $form, string $name, int $digits): string
{
    return strtolower(match_field($form, $name, "/^[0-9a-fA-F]{{$digits}}$/D", ''));
}

/** Reads the digests of the whole file. */
function file_digests(array $form): array
{
    return ['md5' => digest($form, 'md5', 32), 'sha256' => digest($form, 'sha256', 64)];
}

/** Reads the digest that a send or a store names; empty with a client of version 1.0. */
function agreed_digest(array $form): string
{
    return match_field($form, 'digest', '/^(' . implode('|', array_keys(DIGESTS)) . ')$/D', '');
}

/** Checks a name. This receiver builds no path of names, but a reader of the records may. */
function file_name(string $field, string $name): string
{
    if ($name === '.' || $name === '..' || !preg_match('~^[^/\0]{1,255}$~Ds', $name)) {
        throw new Refusal(400, "field '$field' has a name that cannot be one");
    }
    return $name;
}

/** Locks an upload for this request. PHP releases the lock at the end of the request. */
function lock_upload(string $data, string $id): mixed
{
    $lock = fopen("$data/locks/$id", 'c');
    for ($attempts = 0; !flock($lock, LOCK_EX | LOCK_NB); $attempts++) {
        if ($attempts === 40) {
            throw new Refusal(423, 'another client is writing this upload');
        }
        usleep(50_000);
    }
    return $lock;
}

/** Makes the members of the JSON that tell the status of an upload. A client of version 1.0 agrees on no digest. */
function upload_status(array $upload, bool $prefix, string $agreed): array
{
    $members = ['state' => $upload['state'], 'offset' => (int) $upload['held'], 'id' => $upload['id'],
        'max_segment' => max_segment()];
    if ($upload['state'] === 'complete') {
        $members['location'] = "files/{$upload['id']}";
    }
    if ($agreed !== '') {
        $members += ['digest' => $agreed, 'small' => small()];
    }
    $name = $agreed ?: 'md5';
    return $prefix ? $members + ["prefix_$name" => held_digest($upload, $name)] : $members;
}

/** Reads what makes a file the same file. */
function file_of(string $owner, array $form, string $agreed): array
{
    $dir = rtrim(field($form, 'dir', ''), '/') ?: field($form, 'dir', '');
    foreach ($dir === '' ? [] : explode('/', $dir) as $part) {
        file_name('dir', $part);
    }
    $name = file_name('name', field($form, 'name'));
    $mtime = match_field($form, 'mtime', '/^-?[0-9]{1,18}$/D', '');
    $mtime = $mtime === '' ? '' : (string) (int) $mtime;
    return ['owner' => $owner, 'dir' => $dir, 'name' => $name, 'size' => number($form, 'size'), 'mtime' => $mtime]
        + ($agreed === '' ? ['sha256' => ''] : []) + file_digests($form);
}

/** Answers a locate. */
function locate(PDO $db, string $data, string $owner, array $form): array
{
    $usable = array_intersect(explode(',', field($form, 'digests', '')), array_keys(DIGESTS));
    $agreed = array_shift($usable) ?? '';
    $file = file_of($owner, $form, $agreed);
    if (field($form, 'discard', '') === '1') {
        $upload = find_file($db, $file);
        return ['discard' => true] + ($upload === null ? NOTHING : upload_status($upload, false, ''));
    }
    $id = find_or_make($db, $file)['id'];
    $lock = lock_upload($data, $id);
    $upload = find_upload($db, $owner, $id);
    $known = array_filter([$file['md5'], $file['sha256']]);
    if ($upload['state'] !== 'complete' && $known) {
        // A client may know a digest only after its first request.
        $db->prepare('UPDATE OR IGNORE uploads SET md5 = ?, sha256 = ? WHERE id = ?')
            ->execute([$file['md5'] ?: $upload['md5'], $file['sha256'] ?: $upload['sha256'], $id]);
        $upload = find_upload($db, $owner, $id);
        $original = find_content($db, $file, file_digests($form));
        if ($original !== null && (int) $upload['held'] === 0) {
            @unlink("$data/files/$id");
            // The original may have been restarted meanwhile.
            if (@link("$data/files/{$original['id']}", "$data/files/$id")
                && find_upload($db, $owner, $original['id']) === $original) {
                $upload = save($db, $upload, 'complete', $file['size'], digests($original));
            }
        }
    }
    return upload_status($upload, ($form['prefix'] ?? '') === '1', $agreed);
}

/** Answers a discard: drops an unfinished upload. */
function discard(PDO $db, string $data, string $owner, array $form): array
{
    $found = find_to_discard($db, file_of($owner, $form, 'md5'), field($form, 'id', ''));
    $lock = $found === null ? null : lock_upload($data, $found['id']);
    $upload = $found === null ? null : find_upload($db, $owner, $found['id']);
    if ($upload !== null && $upload['state'] === 'complete') {
        throw new Refusal(409, 'the upload is finished, and a finished file is not discarded');
    }
    return $upload === null ? NOTHING : delete_upload($db, $data, $upload);
}

/** Makes the refusal of a send that is larger than PHP accepts. */
function too_large(): Refusal
{
    return new Refusal(413, 'one send carries no more than ' . max_segment(), ['max_segment' => max_segment()]);
}

/** Refuses a part that PHP did not store. The error is one of UPLOAD_ERR_… */
function check_part(mixed $error): void
{
    match ($error) {
        UPLOAD_ERR_OK => null,
        UPLOAD_ERR_INI_SIZE, UPLOAD_ERR_FORM_SIZE => throw too_large(),
        UPLOAD_ERR_NO_TMP_DIR => throw new Refusal(500, 'PHP has no temporary directory: set upload_tmp_dir in php.ini'
            . ' to a directory where it may write'),
        UPLOAD_ERR_CANT_WRITE => throw new Refusal(507, "PHP's temporary directory (upload_tmp_dir) has no room left"),
        UPLOAD_ERR_EXTENSION => throw new Refusal(500, 'an extension of PHP stops uploads: see extension in php.ini'),
        UPLOAD_ERR_PARTIAL => throw new Refusal(408, "the part 'file' was cut"),
        UPLOAD_ERR_NO_FILE => throw new Refusal(400, "the part 'file' has no 'filename'"),
        default => throw new Refusal(400, "the part 'file' is not one file"),
    };
}

/** Answers a send. */
function send(PDO $db, string $data, string $owner, array $form, ?array $part): array
{
    [$id, $agreed] = [field($form, 'id'), agreed_digest($form)];
    [$offset, $length, $size] = [number($form, 'offset'), number($form, 'length'), number($form, 'size')];
    $digest = $agreed ?: 'md5';
    [$restart, $name] = [digest($form, 'restart', DIGESTS[$digest]), file_name('name', field($form, 'name'))];
    if ($restart !== '' && $offset !== 0 || $offset + $length > $size) {
        throw new Refusal(400, "offset $offset and length $length do not go with size $size or with 'restart'");
    }
    if (find_upload($db, $owner, $id) === null) {
        throw new Refusal(404, 'no upload has this id');
    }
    $lock = lock_upload($data, $id);
    clearstatcache();
    $upload = find_upload($db, $owner, $id) ?? throw new Refusal(404, 'no upload has this id');
    if ($name !== $upload['name'] || $size !== (int) $upload['size']) {
        throw new Refusal(409, "upload $id is of another file");
    }
    if ($part === null) {
        throw new Refusal(400, "the part 'file' is missing");
    }
    if ($length > max_segment()) {
        throw too_large();
    }
    $is_restart = $restart !== '' && $restart === held_digest($upload, $digest);
    if ($upload['state'] === 'complete' && !$is_restart) {
        return upload_status($upload, true, $agreed);
    }
    if ($offset !== (int) $upload['held'] && !$is_restart) {
        throw new Refusal(409, "offset $offset is not where this upload stands", upload_status($upload, true, $agreed));
    }
    check_part($part['error']);
    if (filesize($part['tmp_name']) !== $length) {
        throw new Refusal(400, "the part 'file' has not the $length bytes that 'length' says",
            upload_status($upload, true, $agreed));
    }
    if ($is_restart) {
        $upload = reset_upload($db, $data, $upload);
    }
    return write($db, $data, $upload, $part['tmp_name'], $length, $form, $agreed);
}

/** Answers a store: takes a small file in one request. */
function store(PDO $db, string $data, string $owner, array $form, ?array $part): array
{
    $agreed = agreed_digest($form);
    $file = file_of($owner, $form, $agreed);
    if (($file[$agreed] ?? '') === '') {
        throw new Refusal(400, "a store needs the field 'digest', and that digest of the whole file");
    }
    if ($file['size'] > small()) {
        throw new Refusal(413, 'a file of more than ' . small() . ' bytes comes by send');
    }
    $upload = find_file($db, $file);
    if ($upload === null || $upload['state'] !== 'complete' && (int) $upload['held'] === 0) {
        // Nothing is kept of a store that is wrong, not even that there is such a file.
        check_part($part['error'] ?? UPLOAD_ERR_NO_FILE);
        if (filesize($part['tmp_name']) !== $file['size']) {
            throw new Refusal(400, "the part 'file' has not the {$file['size']} bytes that 'size' says");
        }
        foreach (DIGESTS as $name => $digits) {
            if (!in_array($file[$name], ['', hash_file($name, $part['tmp_name'])], true)) {
                throw new Refusal(422, 'the digest of what arrived is not the one that the client sent',
                    ['error' => 'digest']);
            }
        }
        $id = find_or_make($db, $file)['id'];
        $lock = lock_upload($data, $id);
        $upload = find_upload($db, $owner, $id);
        // Another request may have brought something meanwhile.
        if ($upload['state'] !== 'complete' && (int) $upload['held'] === 0) {
            return write($db, $data, $upload, $part['tmp_name'], $file['size'], $form, $agreed);
        }
    }
    return upload_status($upload, true, $agreed);
}

/** Appends the bytes, makes them durable, and checks the digests. */
function write(PDO $db, string $data, array $upload, string $source, int $length, array $form,
    string $agreed): array
{
    $start = (int) $upload['held'];
    if ($start === 0) {
        @unlink("$data/files/{$upload['id']}");
    }
    $digests = digests($upload);
    [$in, $out] = [fopen($source, 'rb'), fopen("$data/files/{$upload['id']}", 'cb')];
    ftruncate($out, $start);
    fseek($out, $start);
    while (($bytes = fread($in, 1 << 16)) !== '' && $bytes !== false) {
        if (@fwrite($out, $bytes) !== strlen($bytes)) {
            throw new Refusal(507, 'the receiver has no room left');
        }
        array_map(fn ($digest) => hash_update($digest, $bytes), $digests);
    }
    if (!fsync($out)) {
        throw new Refusal(507, 'the receiver has no room left');
    }
    $whole = $start + $length === (int) $upload['size'];
    [$md5, $sha256] = array_map('hex_digest', $digests);
    $expected = ['md5' => [digest($form, 'prefix_md5', 32)], 'sha256' => [digest($form, 'prefix_sha256', 64)]];
    foreach ($whole ? file_digests($form) : [] as $name => $digest) {
        array_push($expected[$name], $digest, $upload[$name]);
    }
    foreach (['md5' => $md5, 'sha256' => $sha256] as $name => $actual) {
        if (array_diff($expected[$name], ['', $actual])) {
            // Bytes from before are kept, for the client sees by their digest whether they are right. If this send
            // brought none, they are wrong.
            $upload = $length === 0 ? reset_upload($db, $data, $upload) : $upload;
            throw new Refusal(422, 'the digest of what arrived is not the one that the client sent',
                ['error' => 'digest'] + upload_status($upload, true, $agreed));
        }
    }
    return upload_status(save($db, $upload, $whole ? 'complete' : 'partial', $start + $length, $digests), true, $agreed);
}

/** Answers the request. Returns the status and the members of the JSON. */
function respond(string $data): array
{
    $method = $_SERVER['REQUEST_METHOD'];
    $type = strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '')[0]));
    [$urlencoded, $multipart] = ['application/x-www-form-urlencoded', 'multipart/form-data'];
    try {
        check_settings();
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
            ['locate', false] => locate(open_database($data), $data, $owner, $form),
            ['discard', $method === 'GET'] => discard(open_database($data), $data, $owner, $form),
            ['send', true] => send(open_database($data), $data, $owner, $form, $_FILES['file'] ?? null),
            ['store', true] => store(open_database($data), $data, $owner, $form, $_FILES['file'] ?? null),
            default => throw new Refusal(400, "field 'action' is not that of such a form"),
        }];
    } catch (Refusal $refusal) {
        return [$refusal->status, $refusal->members + ['message' => $refusal->getMessage()]];
    } catch (Throwable $error) {
        error_log((string) $error);
        if (str_contains($error->getMessage(), 'disk is full')) {
            return [507, ['message' => 'the receiver has no room left']];
        }
        return [500, ['message' => 'the receiver failed; its log says why']];
    }
}

[$status, $members] = respond($data);
$json = json_encode($members, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
while (ob_get_level() > 0 && ob_end_clean());
http_response_code($status);
header('Content-Type: application/json');
header('Cache-Control: no-store');
header('Content-Length: ' . strlen($json));
echo $json;
