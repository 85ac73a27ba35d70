/**
 * Uploads that go on where they broke.
 *
 * <p>A {@link io.resup.ResumableUploadClient} is a server and what all uploads to it share; a
 * {@link io.resup.ResumableUpload} is one file's way there. It asks the server what it has, sends the rest as an
 * ordinary HTML form, and does both again after every break. The server is the authority: nothing has to be saved on
 * this side, and a program that was killed just uploads again.
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
 * that thread only. Everything else may be called on any thread at any time. Many uploads may run at once, each on its
 * own thread. An interrupt of the running thread cancels. A virtual thread keeps its carrier blocked meanwhile.
 *
 * <h2>Errors</h2>
 *
 * <p>What cannot be used as a setting is an {@link java.lang.IllegalArgumentException}, a call out of order an
 * {@link java.lang.IllegalStateException}; all that a network, a server or a file can do to an upload is a
 * {@link io.resup.ResupException}. What the program's own channels, streams and file systems throw is thrown as it is. No argument may be {@code null} where the text does not allow it.
 *
 * <h2>Units</h2>
 *
 * <p>Bytes are those of the file, without the form around it. Rates are bytes per second. Times are
 * {@link java.time.Duration}s and count in milliseconds, rounded up.
 *
 * <h2>The native library</h2>
 *
 * <p>It is in the jar, for Linux (glibc) and Windows on the processors that were built in, and is loaded when the first
 * client is made, from the first of
 * <ol>
 * <li>the file that the system property {@code resup.native} names,
 * <li>the directories of {@code java.library.path}, as {@code resup_jni},
 * <li>the jar: unpacked into a new private directory below that of the property {@code resup.tmpdir}, else of
 * {@code java.io.tmpdir}, and removed as soon as it is loaded, where the system allows that. On Windows it is as private
 * as that one, which has to be one that nobody else may write to, as a user's own is.
 * </ol>
 * <p>Where none can be loaded an {@link java.lang.UnsatisfiedLinkError} says why, and what to do about it.
 */
package io.resup;
