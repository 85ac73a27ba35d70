//! Objects that Java knows by numbers. A number is never used a second time, so that one of a removed object is an error.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jni::sys::jlong;

use crate::failure::Failure;

/// Objects of one type.
pub struct Registry<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    last: jlong,
    objects: BTreeMap<jlong, Arc<T>>,
}

impl<T> Registry<T> {
    /// Creates an empty registry.
    pub const fn new() -> Self {
        let state = State {
            last: 0,
            objects: BTreeMap::new(),
        };
        Registry {
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an object and returns its number.
    pub fn add(&self, object: T) -> jlong {
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        state.objects.insert(number, Arc::new(object));
        number
    }

    /// Returns the object of this number.
    pub fn get(&self, number: jlong) -> Result<Arc<T>, Failure> {
        let object = self.lock().objects.get(&number).cloned();
        object.ok_or(Failure::Closed)
    }

    /// Removes an object, and returns it for the caller to drop without the lock.
    pub fn remove(&self, number: jlong) -> Option<Arc<T>> {
        self.lock().objects.remove(&number)
    }

    /// Counts the objects.
    pub fn len(&self) -> usize {
        self.lock().objects.len()
    }
}
