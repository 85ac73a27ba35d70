//! Failures and panics as Java exceptions, which `io.resup.Failures` creates.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::{JObject, JThrowable, JValue};
use jni::strings::JNIStr;
use jni::{jni_sig, jni_str, Env};
use resup::ErrorKind;

use crate::code::Coded;
use crate::convert::IntoJava;
use crate::failure::Failure;

/// The policy of all native methods: throw.
pub struct Throw;

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        if let Err(why) = throw(env, &failure) {
            // Throws why there is no exception for `failure`, unless one of Java's own is pending.
            let _ = throw(env, &why);
        }
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut (),
        panic: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        let message = panic.downcast_ref::<&str>().map(|s| s.to_string());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        let message = message.unwrap_or_else(|| "a panic without a message".to_owned());
        let _ = throw(env, &Failure::Internal(message));
        Ok(T::default())
    }
}

/// Throws the exception of a failure, unless one is pending already.
fn throw(env: &mut Env<'_>, failure: &Failure) -> Result<(), Failure> {
    if !env.exception_check() {
        let exception = create(env, failure)?;
        // `Env::throw` reports the pending exception as an error.
        let _ = env.throw(exception);
    }
    Ok(())
}

/// Creates the exception of a failure, or finds it.
fn create<'local>(env: &mut Env<'local>, failure: &Failure) -> Result<JThrowable<'local>, Failure> {
    match failure {
        Failure::Setting(error) => match error.kind() {
            ErrorKind::InvalidArgument | ErrorKind::InvalidUrl => {
                plain(env, jni_str!("illegalArgument"), &error.to_string())
            }
            _ => resup(env, error),
        },
        Failure::Run(error) => resup(env, error),
        Failure::Argument(message) => plain(env, jni_str!("illegalArgument"), message),
        Failure::Memory(size) => {
            let message = format!("no memory for a copy of {size} bytes outside of Java's heap");
            plain(env, jni_str!("outOfMemory"), &message)
        }
        Failure::Closed => {
            let message = "the client or upload has been closed";
            plain(env, jni_str!("illegalState"), message)
        }
        Failure::Busy => {
            let message = "the upload is running already, on another thread or in the run whose \
                           listener this is";
            plain(env, jni_str!("illegalState"), message)
        }
        Failure::Internal(message) => internal(env, message),
        Failure::Jni(error) => internal(env, &error.to_string()),
        Failure::Thrown(exception) => Ok(env.new_local_ref(exception)?),
    }
}

/// Creates the exception of a defect.
fn internal<'local>(env: &mut Env<'local>, why: &str) -> Result<JThrowable<'local>, Failure> {
    let message = format!("internal error (please report it): {why}");
    plain(env, jni_str!("internal"), &message)
}

/// Creates an exception that has only a message.
fn plain<'local>(
    env: &mut Env<'local>,
    method: &JNIStr,
    message: &str,
) -> Result<JThrowable<'local>, Failure> {
    let message = message.into_java(env)?;
    let exception = env.call_static_method(
        jni_str!("io/resup/Failures"),
        method,
        jni_sig!("([C)Ljava/lang/Throwable;"),
        &[JValue::Object(&message)],
    )?;
    throwable(env, exception.l()?)
}

/// Creates a `ResupException`.
fn resup<'local>(
    env: &mut Env<'local>,
    error: &resup::Error,
) -> Result<JThrowable<'local>, Failure> {
    let refusal = error.refusal();
    let message = error.to_string().as_str().into_java(env)?;
    let server_message = refusal.and_then(|refusal| refusal.message.as_deref());
    let server_message = server_message.into_java(env)?;
    let exception = env.call_static_method(
        jni_str!("io/resup/Failures"),
        jni_str!("resup"),
        jni_sig!("(I[CI[CZ)Ljava/lang/Throwable;"),
        &[
            JValue::Int(error.kind().code()?),
            JValue::Object(&message),
            JValue::Int(refusal.map_or(0, |refusal| refusal.status.into())),
            JValue::Object(&server_message),
            JValue::Bool(error.is_retryable()),
        ],
    )?;
    throwable(env, exception.l()?)
}

/// Casts what `io.resup.Failures` returned.
fn throwable<'local>(
    env: &mut Env<'local>,
    object: JObject<'local>,
) -> Result<JThrowable<'local>, Failure> {
    Ok(env.cast_local::<JThrowable>(object)?)
}
