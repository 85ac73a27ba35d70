//! A run under way on this thread: the library's callbacks, made into calls of `io.resup.Run`.
//!
//! What Java throws there ends the run, and is kept to be thrown again when the native method
//! returns. Every call has a frame of its own for local references.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use jni::objects::{JByteArray, JObject, JThrowable, JValue};
use jni::refs::Global;
use jni::sys::jlong;
use jni::{jni_sig, jni_str, Env, JavaVM};
use resup::{Flow, LogLevel, UploadState};

use crate::failure::Failure;
use crate::{code, text};

thread_local! {
    /// The innermost is the last: a listener may run another upload.
    static RUNS: RefCell<Vec<Rc<Run>>> = const { RefCell::new(Vec::new()) };
}

/// A run and the object that Java made for it.
pub struct Run {
    bridge: Global<JObject<'static>>,
    thrown: RefCell<Option<Failure>>,
    /// What a reader reads into.
    buffer: RefCell<Option<Global<JByteArray<'static>>>>,
}

/// A run that is this thread's innermost one until this goes.
pub struct Scope(Rc<Run>);

impl Run {
    pub fn new(env: &Env<'_>, bridge: &JObject<'_>) -> Result<Self, Failure> {
        Ok(Run {
            bridge: env.new_global_ref(bridge)?,
            thrown: RefCell::default(),
            buffer: RefCell::default(),
        })
    }

    pub fn enter(self) -> Scope {
        let run = Rc::new(self);
        RUNS.with_borrow_mut(|runs| runs.push(run.clone()));
        Scope(run)
    }

    /// Calls Java; what it throws is kept, the first one counts.
    fn call<T>(
        &self,
        call: impl FnOnce(&mut Env<'_>, &JObject<'_>) -> Result<T, Failure>,
    ) -> Option<T> {
        let vm = JavaVM::singleton().expect("Java called this");
        let called = vm.attach_current_thread(|env| {
            let called = call(env, &self.bridge);
            match env.exception_occurred() {
                Some(thrown) => {
                    env.exception_clear();
                    Err(Failure::Thrown(kept(env, thrown)?))
                }
                None => called,
            }
        });
        match called {
            Ok(answer) => Some(answer),
            Err(failure) => {
                self.thrown.borrow_mut().get_or_insert(failure);
                None
            }
        }
    }
}

fn kept(env: &Env<'_>, thrown: JThrowable<'_>) -> Result<Global<JThrowable<'static>>, Failure> {
    Ok(env.new_global_ref(thrown)?)
}

impl Scope {
    /// What Java threw meanwhile.
    pub fn leave(self) -> Option<Failure> {
        self.0.thrown.take()
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        RUNS.with_borrow_mut(|runs| runs.pop());
    }
}

/// Calls the innermost run's object.
fn call<T>(call: impl FnOnce(&mut Env<'_>, &JObject<'_>) -> Result<T, Failure>) -> Option<T> {
    let run = RUNS.with_borrow(|runs| runs.last().cloned());
    run.expect("the library calls only within a run").call(call)
}

fn flow(called: Option<()>) -> Flow {
    match called {
        Some(()) => Flow::Continue,
        None => Flow::Cancel,
    }
}

/// Whether the run is to go on.
pub fn wanted() -> bool {
    let wanted = call(|env, bridge| {
        let answer = env.call_method(bridge, jni_str!("wanted"), jni_sig!("()Z"), &[])?;
        Ok(answer.z()?)
    });
    wanted.unwrap_or(false)
}

/// Tells the listener of progress.
pub fn progress() -> Flow {
    flow(call(|env, bridge| {
        env.call_method(bridge, jni_str!("progress"), jni_sig!("()V"), &[])?;
        Ok(())
    }))
}

/// Tells the listener of a new state.
pub fn state(state: UploadState) -> Flow {
    flow(call(|env, bridge| {
        let place = [JValue::Int(code::of_state(state))];
        env.call_method(bridge, jni_str!("state"), jni_sig!("(I)V"), &place)?;
        Ok(())
    }))
}

/// Gives the client's log a line.
pub fn log(level: LogLevel, line: &str) -> Flow {
    flow(call(|env, bridge| {
        let line = text::to_java(env, line)?;
        let arguments = [JValue::Int(code::of_level(level)), JValue::Object(&line)];
        env.call_method(bridge, jni_str!("log"), jni_sig!("(I[C)V"), &arguments)?;
        Ok(())
    }))
}

/// What Java reads.
pub struct Reader;

fn failed() -> io::Error {
    io::Error::other("the program's own code threw an exception")
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let run = RUNS.with_borrow(|runs| runs.last().cloned());
        let run = run.expect("the library reads only within a run");
        let read = run.call(|env, bridge| {
            let mut buffer = run.buffer.borrow_mut();
            let buffer = match &mut *buffer {
                Some(buffer) => buffer,
                none => {
                    let array = JByteArray::new(env, into.len())?;
                    none.insert(env.new_global_ref(array)?)
                }
            };
            let argument = [JValue::Object(buffer)];
            let read = env.call_method(bridge, jni_str!("read"), jni_sig!("([B)I"), &argument)?;
            let read = read.i()?;
            let bytes = env.convert_byte_array(&*buffer)?;
            let read = usize::try_from(read).ok().and_then(|n| bytes.get(..n));
            let read = read
                .ok_or_else(|| Failure::Argument("a source read no count of bytes".to_owned()))?;
            into[..read.len()].copy_from_slice(read);
            Ok(read.len())
        });
        read.ok_or_else(failed)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = call(|env, bridge| match to {
            SeekFrom::Start(offset) => {
                let argument = [JValue::Long(offset as jlong)];
                env.call_method(bridge, jni_str!("seek"), jni_sig!("(J)V"), &argument)?;
                Ok(offset)
            }
            // The library asks for the size in this way.
            _ => {
                let size = env.call_method(bridge, jni_str!("size"), jni_sig!("()J"), &[])?;
                Ok(size.j()? as u64)
            }
        });
        at.ok_or_else(failed)
    }
}
