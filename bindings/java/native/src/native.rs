//! The native methods, by the names that Java looks for. Each is one line of the others' work.

use jni::objects::{JByteArray, JCharArray, JClass, JLongArray, JObject};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned};

use crate::client::{self, CLIENTS};
use crate::failure::{Failure, Throw};
use crate::run::Run;
use crate::text::{from_java, to_java, to_java_or_null};
use crate::upload::{self, UPLOADS};

/// Runs what a native method does; failures and panics become exceptions.
fn java<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    work: impl FnOnce(&mut Env<'local>) -> Result<T, Failure>,
) -> T {
    env.with_env(work).resolve::<Throw>()
}

/// What a program hands over, which may be more than there is room for.
fn copied(env: &mut Env<'_>, array: &JByteArray<'_>) -> Result<Vec<u8>, Failure> {
    let size = array.len(env)?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(size)
        .map_err(|_| Failure::Memory(size))?;
    let mut piece = [0; 8192];
    while bytes.len() < size {
        let piece = &mut piece[..(size - bytes.len()).min(8192)];
        array.get_region(env, bytes.len() as jint, piece)?;
        bytes.extend(piece.iter().map(|&byte| byte as u8));
    }
    Ok(bytes)
}

/// Writes native methods down: `Class.method(arguments) -> result { work }`.
macro_rules! natives {
    ($($(#[$doc:meta])* $symbol:ident($env:ident, $this:ty $(, $name:ident: $type:ty)*) $(-> $result:ty)? $work:block)*) => {$(
        $(#[$doc])*
        // The name is of this library alone: no other function is called as Java calls this one.
        #[allow(unsafe_code)]
        #[no_mangle]
        pub extern "system" fn $symbol<'local>(
            env: EnvUnowned<'local>,
            _: $this,
            $($name: $type,)*
        ) $(-> $result)? {
            java(env, |$env| $work)
        }
    )*};
}

natives! {
    /// The library's version.
    Java_io_resup_Native_version(env, JClass<'local>) -> JCharArray<'local> {
        to_java(env, env!("CARGO_PKG_VERSION"))
    }

    /// How many clients and uploads there are.
    Java_io_resup_Native_count(_env, JClass<'local>) -> jint {
        Ok((CLIENTS.len() + UPLOADS.len()) as jint)
    }

    /// A new client.
    Java_io_resup_NativeClient_create(env, JClass<'local>, endpoint: JCharArray<'local>) -> jlong {
        client::create(&from_java(env, &endpoint)?)
    }

    /// A setting that is a text, or two.
    Java_io_resup_NativeClient_setText(
        env, JObject<'local>, number: jlong, setting: JCharArray<'local>, a: JCharArray<'local>, b: JCharArray<'local>
    ) {
        let client = CLIENTS.get(number)?;
        let [setting, a, b] = [from_java(env, &setting)?, from_java(env, &a)?, from_java(env, &b)?];
        client::set_text(&client, &setting, &a, &b)
    }

    /// A setting that is a number, or two.
    Java_io_resup_NativeClient_setNumber(
        env, JObject<'local>, number: jlong, setting: JCharArray<'local>, a: jlong, b: jlong
    ) {
        client::set_number(&*CLIENTS.get(number)?, &from_java(env, &setting)?, a, b)
    }

    /// The secret with which forms are signed.
    Java_io_resup_NativeClient_setSigningSecret(env, JObject<'local>, number: jlong, secret: JByteArray<'local>) {
        let secret = copied(env, &secret)?;
        CLIENTS.get(number)?.set_signing_secret(&secret).map_err(Failure::Setting)
    }

    /// Lets a client go; its uploads keep what they need of it.
    Java_io_resup_NativeClient_free(_env, JClass<'local>, number: jlong) {
        CLIENTS.remove(number);
        Ok(())
    }

    /// An upload of a file.
    Java_io_resup_NativeClient_ofFile(env, JObject<'local>, number: jlong, path: JCharArray<'local>) -> jlong {
        upload::of_file(&*CLIENTS.get(number)?, &from_java(env, &path)?)
    }

    /// An upload of bytes, which are copied.
    Java_io_resup_NativeClient_ofBytes(
        env, JObject<'local>, number: jlong, bytes: JByteArray<'local>, name: JCharArray<'local>
    ) -> jlong {
        let bytes = copied(env, &bytes)?;
        upload::of_bytes(&*CLIENTS.get(number)?, bytes, &from_java(env, &name)?)
    }

    /// An upload of what the runs' objects read.
    Java_io_resup_NativeClient_ofStream(env, JObject<'local>, number: jlong, name: JCharArray<'local>) -> jlong {
        upload::of_stream(&*CLIENTS.get(number)?, &from_java(env, &name)?)
    }

    /// A setting that is a text, or two.
    Java_io_resup_NativeUpload_setText(
        env, JObject<'local>, number: jlong, setting: JCharArray<'local>, a: JCharArray<'local>, b: JCharArray<'local>
    ) {
        let [setting, a, b] = [from_java(env, &setting)?, from_java(env, &a)?, from_java(env, &b)?];
        UPLOADS.get(number)?.set_text(&setting, &a, &b)
    }

    /// A setting that is a number.
    Java_io_resup_NativeUpload_setNumber(
        env, JObject<'local>, number: jlong, setting: JCharArray<'local>, value: jlong
    ) {
        UPLOADS.get(number)?.set_number(&from_java(env, &setting)?, value)
    }

    /// Begins a run.
    Java_io_resup_NativeUpload_start(_env, JObject<'local>, number: jlong) {
        UPLOADS.get(number)?.start()
    }

    /// Goes through the run that was begun, and returns at the end.
    Java_io_resup_NativeUpload_run(env, JObject<'local>, number: jlong, bridge: JObject<'local>) {
        UPLOADS.get(number)?.run(Run::new(env, &bridge)?)
    }

    /// Ends the run.
    Java_io_resup_NativeUpload_cancel(_env, JObject<'local>, number: jlong) {
        UPLOADS.get(number)?.remote.cancel();
        Ok(())
    }

    /// Pauses the run.
    Java_io_resup_NativeUpload_pause(_env, JObject<'local>, number: jlong) {
        UPLOADS.get(number)?.remote.pause();
        Ok(())
    }

    /// Goes on after a pause.
    Java_io_resup_NativeUpload_resume(_env, JObject<'local>, number: jlong) {
        UPLOADS.get(number)?.remote.resume();
        Ok(())
    }

    /// The numbers of the run.
    Java_io_resup_NativeUpload_numbers(env, JObject<'local>, number: jlong) -> JLongArray<'local> {
        let numbers = UPLOADS.get(number)?.numbers();
        let array = JLongArray::new(env, numbers.len())?;
        array.set_region(env, 0, &numbers)?;
        Ok(array)
    }

    /// A text of the server's, or null.
    Java_io_resup_NativeUpload_text(
        env, JObject<'local>, number: jlong, which: JCharArray<'local>
    ) -> JCharArray<'local> {
        let text = UPLOADS.get(number)?.text(&from_java(env, &which)?);
        to_java_or_null(env, text.as_deref())
    }

    /// Ends the run and lets the upload go.
    Java_io_resup_NativeUpload_free(_env, JClass<'local>, number: jlong) {
        if let Ok(upload) = UPLOADS.get(number) {
            upload.remote.cancel();
        }
        UPLOADS.remove(number);
        Ok(())
    }
}
