package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The uploads: their records, files and digests. The order of the writes is safe in a crash: bytes are durable before
 * their record counts them, and a record is reset before its file is deleted.
 */
final class Uploads {
    private static final Logger LOG = Logger.getLogger(Uploads.class.getName());
    private static final int MAX_MIDSTATES = 1000;

    private final Records records;
    private final Store store;
    /** A cache of the digests of stored bytes, for the next send. Those that are not in it are computed again. */
    private final Map<String, Midstate> midstates = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Midstate> eldest) {
            return size() > MAX_MIDSTATES;
        }
    };

    private record Midstate(long offset, Digests digests) {}

    Uploads(Records records, Store store) {
        this.records = records;
        this.store = store;
    }

    Records records() {
        return records;
    }

    Store store() {
        return store;
    }

    /** Loads the owner's upload and compares it with the file. The caller has the lock, as for the methods below. */
    Upload load(String owner, String id) throws SQLException, IOException {
        Upload upload = records.find(owner, id);
        if (upload != null && store.length(id) < upload.offset()) {
            LOG.severe("upload " + id + ": the file is shorter than the " + upload.offset()
                    + " bytes that were confirmed; it starts afresh");
            return reset(upload);
        }
        return upload;
    }

    /** Returns the id of the file's upload. It may be a new one. */
    String findOrMake(Identity file) throws SQLException {
        Upload known = records.find(file);
        if (known != null) {
            return known.id();
        }
        Upload upload = Upload.of(file);
        // Without success, a concurrent request about the same file has inserted it.
        return records.insert(upload) ? upload.id() : records.find(file).id();
    }

    /** Drops all bytes of an upload. */
    Upload reset(Upload upload) throws SQLException, IOException {
        Upload fresh = upload.withContent(Upload.State.PARTIAL, 0, new Digests());
        Upload bare = fresh.withDigests(KnownDigests.NONE);
        if (upload.state() == Upload.State.COMPLETE && !records.has(bare.file())) {
            // What clients said of the whole file was said of the bytes that are dropped.
            fresh = bare;
        }
        records.save(fresh);
        store.delete(upload.id());
        return fresh;
    }

    /** Drops an upload with all its bytes. */
    void delete(Upload upload) throws SQLException, IOException {
        records.delete(upload);
        store.delete(upload.id());
        synchronized (midstates) {
            midstates.remove(upload.id());
        }
    }

    /**
     * Returns the digests of the stored bytes, from the cache, or after a restart from the file. Returns <code>null
     * </code> when the file has other bytes than were confirmed.
     */
    Digests digests(Upload upload) throws IOException {
        synchronized (midstates) {
            Midstate cached = midstates.get(upload.id());
            if (cached != null && cached.offset == upload.offset() && cached.digests.known().equals(upload.held())) {
                return cached.digests.copy();
            }
        }
        Digests digests = store.digest(upload.id(), upload.offset());
        return digests.known().equals(upload.held()) ? digests : null;
    }

    /** Caches the digests of the stored bytes of an unfinished upload. */
    void cacheDigests(Upload upload, Digests digests) {
        synchronized (midstates) {
            if (upload.state() == Upload.State.PARTIAL) {
                midstates.put(upload.id(), new Midstate(upload.offset(), digests.copy()));
            } else {
                midstates.remove(upload.id());
            }
        }
    }

    /** Completes an upload with the file of another one of the same owner, if there is one with these digests. */
    Upload completeInstantly(Upload upload, KnownDigests digests) throws SQLException {
        Upload original = records.findContent(upload.file());
        if (original == null || !digests.agrees(original.held())) {
            return upload;
        }
        try {
            store.link(original.id(), upload.id());
            // The original may have been restarted meanwhile.
            boolean unchanged = original.equals(records.find(original.file().owner(), original.id()));
            if (!unchanged || store.length(upload.id()) != original.offset()) {
                return upload;
            }
        } catch (IOException | UnsupportedOperationException error) {
            LOG.log(Level.WARNING,
                    "upload " + original.id() + " cannot be shared: its bytes have to come again", error);
            return upload;
        }
        Upload complete = upload.completeFrom(original);
        records.save(complete);
        return complete;
    }
}
