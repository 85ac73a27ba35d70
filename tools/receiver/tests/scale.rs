//! Many records: the queries use their indexes, and, with `RESUP_TEST_RECORDS=1000000`, how long requests take.
//!
//! `cargo test --release -p resup-receiver --test scale -- --nocapture` with that variable prints times and memory, and checks
//! nothing by them; with `RESUP_TEST_DATABASE=postgres` those of PostgreSQL.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use common::{has_no_sqlite, Receiver, Upload};
use resup_test_support::postgres;
use sqlx::{AnyConnection, Connection, Row, SqliteConnection};

/// How many records there are if nothing says how many.
const SAMPLE: u64 = 5_000;

fn count() -> u64 {
    let variable = std::env::var("RESUP_TEST_RECORDS").ok();
    variable.map_or(SAMPLE, |count| count.parse().expect("a number of records"))
}

/// The id of a record, and its size.
fn record(number: u64) -> (String, u64) {
    let mixed = number.wrapping_mul(2_654_435_761) & 0xffff_ffff;
    (format!("{mixed:08x}{number:024x}"), mixed % 100_000)
}

/// Adds records like the one that is there, of which one in a hundred is unfinished, and files for the others.
async fn fill(data: &Path, count: u64) {
    // Both databases by the same statement, but for the numbers and their hexadecimal form.
    let (url, numbers, hex) = match postgres::database_of(data) {
        Some(url) => (
            url,
            format!("numbers AS (SELECT CAST(n AS bigint) FROM generate_series(0, {count} - 1) AS n)"),
            "lpad(to_hex(mixed), 8, '0') || lpad(to_hex(n), 24, '0')",
        ),
        None => (
            format!("sqlite://{}", data.join("receiver.sqlite").display()),
            format!("RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})"),
            "printf('%08x%024x', mixed, n)",
        ),
    };
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(&url).await.unwrap();
    let columns = "owner, mtime, midstate, content_md5, content_sha256, created, proven, proven_midstate, gone, sha256, \
        blake3, content_blake3, ranges, open, concat";
    let statement = format!(
        "WITH {numbers}, made AS (SELECT n, (n * 2654435761) & 4294967295 AS mixed FROM numbers)
         INSERT INTO uploads (id, place, dir, name, folded, size, md5, state, held, changed, {columns})
         SELECT {hex}, {hex}, 'year/' || (n % 1000), 'IMG ' || n || ' holiday.jpg', 'img ' || n || ' holiday.jpg', mixed % 100000, '',
                CASE n % 100 WHEN 0 THEN 'partial' ELSE 'complete' END,
                CASE n % 100 WHEN 0 THEN 0 ELSE mixed % 100000 END, changed - 1000 * n, {columns}
         FROM made, (SELECT * FROM uploads LIMIT 1) AS first"
    );
    // To count a million records one by one in one transaction would take PostgreSQL an hour.
    let (before, after) = match postgres::is_wanted() {
        true => (
            "SET session_replication_role = replica",
            "UPDATE totals SET (records, high, low) =
               (SELECT COUNT(*), SUM(size >> 32), SUM(size & 4294967295) FROM uploads)",
        ),
        false => ("SELECT 1", "SELECT 1"),
    };
    // The last one is what PostgreSQL does by itself in the background, but not here.
    for statement in [before, &statement, after, "ANALYZE"] {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&mut database)
            .await
            .unwrap();
    }
    database.close().await.unwrap();
    for number in (0..count).filter(|number| number % 100 != 0) {
        let (id, size) = record(number);
        let file = File::create(data.join("files").join(id)).unwrap();
        file.set_len(size).unwrap();
    }
}

/// Starts a receiver that has so many records.
fn filled(count: u64) -> Receiver {
    let mut receiver = Receiver::start(&["--max-records", "9999999"]);
    let first = Upload::new("first", 10);
    let (id, _) = receiver.locate_ok(&first);
    receiver.send_rest(&first, &id, 0).expect_complete(10);
    receiver.terminate();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(fill(receiver.data(), count));
    receiver.kill_and_restart();
    receiver
}

/// The 95th percentile and the longest one of some times.
fn percentile(times: &mut [Duration]) -> String {
    times.sort();
    let at = (times.len() * 95).div_ceil(100) - 1;
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    format!(
        "p95 {:7.1} ms, longest {:7.1} ms of {}",
        ms(times[at]),
        ms(times[times.len() - 1]),
        times.len()
    )
}

/// Measures one kind of request, each number of it once.
fn measure(what: &str, mut request: impl FnMut(u64)) {
    let mut times: Vec<_> = (0..40)
        .map(|number| {
            let start = Instant::now();
            request(number);
            start.elapsed()
        })
        .collect();
    println!("{what:44} {}", percentile(&mut times));
}

/// A number of a process's status, in MiB.
fn memory(receiver: &Receiver, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", receiver.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

#[test]
fn many_records_are_listed_searched_and_counted() {
    let count = count();
    let mut receiver = filled(count);
    // One more than there may be.
    receiver.set_flags(&["--max-records", &(count + 1).to_string()]);
    receiver.kill_and_restart();
    let refused = receiver.locate(&Upload::new("one more", 10));
    assert_eq!(refused.status, 507);
    receiver.set_flags(&["--max-records", "9999999"]);
    receiver.kill_and_restart();
    if count > SAMPLE {
        times(&mut receiver, count);
        #[cfg(target_os = "linux")]
        expiry(&mut receiver);
    }
    // The first one of all, and one of the last pages.
    let list = receiver.get("/uploads?sort=name&limit=1");
    assert_eq!(list.json["uploads"][0]["name"], "first");
    let rare = (count - 1).to_string();
    let mut after = String::new();
    let found = loop {
        let list = receiver.get(&format!("/uploads?search=img+{rare}+holiday{after}"));
        let items = list.json["uploads"].as_array().unwrap();
        if let Some(item) = items.first() {
            break item["name"].clone();
        }
        after = format!("&after={}", list.text("next"));
    };
    assert_eq!(found, format!("IMG {rare} holiday.jpg"));
}

#[cfg(target_os = "linux")]
fn times(receiver: &mut Receiver, count: u64) {
    let database = if postgres::is_wanted() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    println!(
        "{count} records in {database}, memory at first {} MiB",
        memory(receiver, "VmRSS")
    );
    measure("start, until it listens", |_| receiver.kill_and_restart());
    let receiver = &*receiver;
    for query in [
        "",
        "?state=partial",
        "?state=complete&limit=1000",
        "?sort=name",
        "?sort=-size",
        "?search=holiday",
        "?search=holiday&sort=size",
    ] {
        measure(&format!("GET /uploads{query}"), |_| {
            assert_eq!(receiver.get(&format!("/uploads{query}")).status, 200);
        });
    }
    for query in [
        "search=nowhere",
        "search=nowhere&sort=name",
        "search=nowhere&sort=size",
        "dir=year/500",
        "dir=year/500&sort=size",
    ] {
        let (mut after, mut requests, start) = (String::new(), Vec::new(), Instant::now());
        loop {
            let begun = Instant::now();
            let list = receiver.get(&format!("/uploads?{query}&limit=1000{after}"));
            requests.push(begun.elapsed());
            match list.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let whole = start.elapsed().as_secs_f64();
        let what = format!("GET /uploads?{query}, to its end in {whole:.2} s");
        println!("{what:44} {}", percentile(&mut requests));
    }
    let mut after = String::new();
    measure("GET /uploads?sort=name, one page after another", |_| {
        let list = receiver.get(&format!("/uploads?sort=name{after}"));
        after = format!("&after={}", list.text("next"));
    });
    measure("GET /, the page", |_| {
        assert_eq!(receiver.get("/").status, 200)
    });
    measure("locate of a known file", |number| {
        let (_, size) = record(number + 1);
        let file = Upload::new(&format!("IMG {} holiday.jpg", number + 1), size as usize);
        let dir = format!("year/{}", number + 1);
        assert_eq!(receiver.locate(&file.with("dir", &dir)).status, 200);
    });
    measure("locate of a new file", |number| {
        receiver.locate_ok(&Upload::new(&format!("new {number}"), 10));
    });
    println!(
        "memory after that: {} MiB, the most {} MiB",
        memory(receiver, "VmRSS"),
        memory(receiver, "VmHWM")
    );
}

/// Measures requests while all the unfinished uploads expire.
#[cfg(target_os = "linux")]
fn expiry(receiver: &mut Receiver) {
    receiver.set_flags(&["--max-records", "9999999", "--expire", "1s"]);
    receiver.kill_and_restart();
    let start = Instant::now();
    let (mut lists, mut locates) = (Vec::new(), Vec::new());
    for number in 0.. {
        let begun = Instant::now();
        let list = receiver.get("/uploads?state=partial&search=holiday");
        lists.push(begun.elapsed());
        let left = list.json["uploads"].as_array().unwrap();
        if left.is_empty() && list.json["next"].is_null() {
            break;
        }
        let begun = Instant::now();
        receiver.locate_ok(&Upload::new(&format!("late {number}"), 10));
        locates.push(begun.elapsed());
    }
    println!(
        "expiry of one record in a hundred: {:.1} s",
        start.elapsed().as_secs_f64()
    );
    println!(
        "{:44} {}",
        "GET /uploads?state=partial&search=… meanwhile",
        percentile(&mut lists)
    );
    println!(
        "{:44} {}",
        "locate of a new file meanwhile",
        percentile(&mut locates)
    );
    println!("the most memory {} MiB", memory(receiver, "VmHWM"));
}

#[cfg(not(target_os = "linux"))]
fn times(_: &mut Receiver, _: u64) {}

#[test]
fn postgres_reads_no_whole_table_for_a_list() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let address = server.database();
    let dir = tempfile::tempdir().unwrap();
    let flags = ["--database", &address];
    let mut receiver = Receiver::start_at("127.0.0.1:0", dir.path(), &flags);
    for number in 0..20 {
        receiver.locate_ok(&Upload::new(&format!("file {number}"), 10));
    }
    let scans = |mut receiver: Receiver| {
        // What it has counted is told when it ends.
        receiver.terminate();
        let query = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'uploads'";
        server.query(&address, query)
    };
    server.query(&address, "ANALYZE uploads");
    let before = scans(receiver);
    receiver = Receiver::start_at("127.0.0.1:0", dir.path(), &flags);
    for order in ["", "&sort=name", "&sort=size"] {
        for query in [
            "state=partial",
            "state=complete",
            "search=file",
            "dir=a",
            "limit=3",
        ] {
            let path = format!("/uploads?{query}{order}");
            assert_eq!(receiver.get(&path).status, 200, "{path}");
        }
    }
    assert_eq!(scans(receiver), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_use_their_indexes() {
    if has_no_sqlite() {
        return;
    }
    let mut receiver = tokio::task::block_in_place(|| Receiver::start(&[]));
    receiver.terminate();
    let url = format!(
        "sqlite://{}",
        receiver.data().join("receiver.sqlite").display()
    );
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    for (condition, order, index) in [
        ("gone = 0 AND owner = 'o' AND (changed, id) < (1, 'x')", "changed DESC, id DESC", "uploads_by_change"),
        ("gone = 0 AND owner = 'o' AND (folded, id) > ('a', 'x')", "folded, id", "uploads_by_name"),
        ("gone = 0 AND owner = 'o' AND (size, id) > (1, 'x')", "size, id", "uploads_by_size"),
        (
            "gone = 0 AND owner = 'o' AND state <> 'complete' AND (changed, id) < (1, 'x')",
            "changed DESC, id DESC",
            "uploads_unfinished",
        ),
        (
            "gone = 0 AND owner = 'o' AND (folded, id) > ('a', 'x') AND (folded, id) <= ('b', 'x') AND NOT (state = 'complete') \
             AND CASE WHEN as_name = '' THEN dir ELSE as_dir END = 'd' AND folded LIKE '%x%' ESCAPE '\\'",
            "folded, id",
            "uploads_by_name",
        ),
        (
            "state <> 'complete' AND changed < 1 AND (changed, id) > (0, 'x')",
            "changed, id",
            "uploads_unfinished_by_change",
        ),
        ("folded = ''", "id", "uploads_unfolded"),
        (
            "owner = 'o' AND CASE WHEN as_name = '' THEN dir ELSE as_dir END > 'd'",
            "CASE WHEN as_name = '' THEN dir ELSE as_dir END",
            "uploads_by_dir",
        ),
    ] {
        let statement = format!("EXPLAIN QUERY PLAN SELECT * FROM uploads WHERE {condition} ORDER BY {order} LIMIT 10");
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_all(&mut database).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let uses = format!("USING INDEX {index}");
        assert!(plan.len() == 1 && plan[0].split(" (").next().unwrap().ends_with(&uses), "{condition}: {plan:?}");
    }
}
