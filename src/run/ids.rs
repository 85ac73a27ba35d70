//! The ids of uploads that a client has seen, each with its upload.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use resup_digests::Algorithm;

use crate::protocol::Job;

/// How many ids are remembered. A late answer is about one of the last uploads.
const MOST: usize = 64;

/// The last ids that servers gave to the uploads of one client. They tell a late answer to another
/// upload from one about this upload.
#[derive(Debug, Default)]
pub(crate) struct KnownIds {
    /// Hash values of an id and of its upload, the last ones at the end.
    pairs: Mutex<VecDeque<(u64, u64)>>,
}

impl KnownIds {
    /// Notes that an answer gave `id` to the upload `job`, and agreed to this digest.
    pub(super) fn note(&self, id: &str, job: &Job, agreed: Option<Algorithm>) {
        let pair = pair(id, job, agreed);
        let mut pairs = self.lock();
        pairs.retain(|other| *other != pair);
        if pairs.len() == MOST {
            pairs.pop_front();
        }
        pairs.push_back(pair);
    }

    /// Whether `id` was given to other uploads, and not to this one.
    pub(super) fn belongs_to_another(
        &self,
        id: &str,
        job: &Job,
        agreed: Option<Algorithm>,
    ) -> bool {
        let (id, job) = pair(id, job, agreed);
        let pairs = self.lock();
        let mut owners = pairs.iter().filter(|(other, _)| *other == id).peekable();
        owners.peek().is_some() && owners.all(|(_, owner)| *owner != job)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(u64, u64)>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pair(id: &str, job: &Job, agreed: Option<Algorithm>) -> (u64, u64) {
    let digest = job.digests.iter().find(|it| Some(it.algorithm()) == agreed);
    let upload = (&job.dir, &job.name, job.size, job.mtime, digest);
    (hash(id), hash(&upload))
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: Option<Algorithm> = Some(Algorithm::Md5);

    fn job(name: &str) -> Job {
        Job {
            name: name.to_owned(),
            size: 5,
            is_passed: false,
            mtime: None,
            offer: &[],
            digests: Vec::new(),
            dir: String::new(),
            user: None,
            content_type: String::new(),
            fields: Vec::new(),
            connections: 0,
        }
    }

    #[test]
    fn an_id_belongs_to_the_uploads_that_got_it() {
        let (ids, a, b) = (KnownIds::default(), job("a"), job("b"));
        assert!(
            !ids.belongs_to_another("1", &a, MD5),
            "nothing is known of it"
        );
        ids.note("1", &a, MD5);
        assert!(!ids.belongs_to_another("1", &a, MD5));
        assert!(ids.belongs_to_another("1", &b, MD5));
        assert!(!ids.belongs_to_another("2", &b, MD5));
        // A server may give one id to several uploads.
        ids.note("1", &b, MD5);
        assert!(!ids.belongs_to_another("1", &a, MD5));
        assert!(!ids.belongs_to_another("1", &b, MD5));
    }

    #[test]
    fn the_last_ids_are_remembered() {
        let (ids, a, b) = (KnownIds::default(), job("a"), job("b"));
        for n in 0..=MOST {
            ids.note(&n.to_string(), &a, MD5);
            ids.note("last", &a, MD5);
        }
        assert!(!ids.belongs_to_another("0", &b, MD5));
        assert!(ids.belongs_to_another(&MOST.to_string(), &b, MD5));
        assert!(ids.belongs_to_another("last", &b, MD5));
    }
}
