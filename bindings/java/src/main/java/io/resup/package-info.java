/**
 * Resumable uploads by HTML form.
 *
 * <p>A {@link io.resup.ResumableUploadClient} is a server and what all uploads to it share; a
 * {@link io.resup.ResumableUpload} is the upload of one file. It asks the server what it has, sends the rest as an
 * ordinary HTML form, and does both again after every lost connection. The server is the authority: the program need not
 * save anything, and after it was killed it just uploads again.
 *
 * <pre>{@code
 * try (ResumableUploadClient client = ResumableUploadClient.create("https://example.org/upload");
 *         ResumableUpload upload = client.upload(Paths.get("video.mp4")).build()) {
 *     UploadResult result = upload.run();
 *     System.out.println(result.bytesSkipped() + " bytes were there before");
 * }
 * }</pre>
 *
 * <h2>Threads</h2>
 *
 * <p>{@link io.resup.ResumableUpload#run()} blocks its thread until the end; listeners, log and sources are called on
 * that thread only. Everything else may be called on every thread at any time. Many uploads may run at once, each on its
 * own thread. An interrupt of the thread cancels the upload. A virtual thread blocks its carrier during a run.
 *
 * <h2>Errors</h2>
 *
 * <p>A setting that is not valid is an {@link java.lang.IllegalArgumentException}, a call out of order an
 * {@link java.lang.IllegalStateException}, every failure of a network, a server or a file a
 * {@link io.resup.ResupException}. Exceptions of the program's own channels, streams, file systems and listeners are
 * thrown unchanged. No argument may be {@code null} unless its description allows that.
 *
 * <h2>Units</h2>
 *
 * <p>Sizes and offsets are bytes of the file, without the form around it. Rates are bytes per second. Times are
 * {@link java.time.Duration}s, rounded up to milliseconds.
 *
 * <h2>The native library</h2>
 *
 * <p>The jar contains it for the platforms for which the jar was built, of Linux (glibc) and Windows. It is loaded when
 * the first client is created, from the first of
 * <ol>
 * <li>the file that the system property {@code resup.native} names,
 * <li>the directories of {@code java.library.path}, as {@code resup_jni},
 * <li>the jar: unpacked into a new private directory below that of the property {@code resup.tmpdir}, else of
 * {@code java.io.tmpdir}, and removed as soon as it is loaded, where the system allows that. On Windows nobody else may
 * be allowed to write to the directory of the property, as is so for the temporary directory of a user.
 * </ol>
 * <p>Where none can be loaded, an {@link java.lang.UnsatisfiedLinkError} says why and what to do.
 */
package io.resup;
