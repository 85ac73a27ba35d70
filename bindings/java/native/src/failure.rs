//! Why a native method failed, and the exception that Java gets for it.
#![forbid(unsafe_code)]

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::{JThrowable, JValue};
use jni::refs::Global;
use jni::sys::jint;
use jni::{jni_sig, jni_str, Env};

use crate::{code, text};

/// Why a native method failed.
#[derive(Debug)]
pub enum Failure {
    /// The library says so, of a setting or when an upload was made.
    Setting(resup::Error),
    /// The library says so, of a run.
    Run(resup::Error),
    /// A text or number of Java's cannot be used.
    Argument(String),
    /// There is no memory for a copy of so many bytes.
    Memory(usize),
    /// There is no object of this number any more.
    Closed,
    /// Another thread, or a callback, is inside a run of this upload.
    Busy,
    /// Java's own code threw this, and gets it back.
    Thrown(Global<JThrowable<'static>>),
    /// A call of Java's failed; mostly with an exception that is pending.
    Jni(jni::errors::Error),
}

impl From<jni::errors::Error> for Failure {
    fn from(error: jni::errors::Error) -> Self {
        Failure::Jni(error)
    }
}

/// The kinds of exception that `io.resup.Failures.of` makes.
const STATE: jint = 0;
const ARGUMENT: jint = 1;
const RESUP: jint = 2;
const MEMORY: jint = 3;

/// What goes into an exception.
struct Exception<'a> {
    kind: jint,
    code: jint,
    message: &'a str,
    http_status: jint,
    server_message: Option<&'a str>,
    retryable: bool,
}

impl<'a> Exception<'a> {
    fn plain(kind: jint, code: jint, message: &'a str) -> Self {
        Exception {
            kind,
            code,
            message,
            http_status: 0,
            server_message: None,
            retryable: false,
        }
    }

    /// Throws it, unless another one is on its way.
    fn throw(self, env: &mut Env<'_>) -> Result<(), Failure> {
        if env.exception_check() {
            return Ok(());
        }
        let message = text::to_java(env, self.message)?;
        let server_message = text::to_java_or_null(env, self.server_message)?;
        let made = env.call_static_method(
            jni_str!("io/resup/Failures"),
            jni_str!("of"),
            jni_sig!("(II[CI[CZ)Ljava/lang/Throwable;"),
            &[
                JValue::Int(self.kind),
                JValue::Int(self.code),
                JValue::Object(&message),
                JValue::Int(self.http_status),
                JValue::Object(&server_message),
                JValue::Bool(self.retryable),
            ],
        )?;
        let made = env.cast_local::<JThrowable>(made.l()?)?;
        // "Fails" by throwing.
        let _ = env.throw(made);
        Ok(())
    }
}

/// Failures and panics become exceptions.
pub struct Throw;

impl Throw {
    fn failure(env: &mut Env<'_>, failure: Failure) -> Result<(), Failure> {
        let exception = match &failure {
            Failure::Thrown(thrown) => {
                let _ = env.throw(thrown);
                return Ok(());
            }
            Failure::Setting(error) => {
                let kind = match error.kind() {
                    resup::ErrorKind::InvalidArgument | resup::ErrorKind::InvalidUrl => ARGUMENT,
                    _ => RESUP,
                };
                return of_library(kind, error, env);
            }
            Failure::Run(error) => return of_library(RESUP, error, env),
            Failure::Argument(why) => Exception::plain(ARGUMENT, 0, why),
            Failure::Memory(size) => {
                let why = format!("no memory for a copy of {size} bytes outside of Java's heap");
                return Exception::plain(MEMORY, 0, &why).throw(env);
            }
            Failure::Closed => Exception::plain(STATE, 0, "it has been closed"),
            Failure::Busy => {
                let why = "the upload is under way already, on another thread or in the run whose \
                           listener this is";
                Exception::plain(STATE, 0, why)
            }
            Failure::Jni(error) => {
                let why = error.to_string();
                return Exception::plain(RESUP, code::INTERNAL, &why).throw(env);
            }
        };
        exception.throw(env)
    }
}

fn of_library(kind: jint, error: &resup::Error, env: &mut Env<'_>) -> Result<(), Failure> {
    let refusal = error.refusal();
    let exception = Exception {
        kind,
        code: code::of_error(error.kind()),
        message: &error.to_string(),
        http_status: refusal.map_or(0, |refusal| refusal.status.into()),
        server_message: refusal.and_then(|refusal| refusal.message.as_deref()),
        retryable: error.is_retryable(),
    };
    exception.throw(env)
}

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        // What fails in here has an exception pending: that of Java's own.
        let _ = Throw::failure(env, failure);
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut (),
        panic: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        let why = panic.downcast_ref::<&str>().map(|s| s.to_string());
        let why = why.or_else(|| panic.downcast_ref::<String>().cloned());
        let why = why.unwrap_or_else(|| "a panic without a message".to_owned());
        let why = format!("internal error (please report it): {why}");
        let _ = Exception::plain(RESUP, code::INTERNAL, &why).throw(env);
        Ok(T::default())
    }
}
