package io.resup.receiver;

import java.io.IOException;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Records, bytes and digests together, in an order that no crash can break: bytes are durable before their record says
 * so, and a record has let go of bytes before they go.
 */
final class Shelf {
    private static final Logger LOG = Logger.getLogger(Shelf.class.getName());
    private static final int MIDSTATES = 1000;

    private final Records records;
    private final Store store;
    /** Digests of what uploads hold, to go on from; those of long ago are computed again. */
    private final Map<String, Midstate> midstates = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Midstate> eldest) {
            return size() > MIDSTATES;
        }
    };

    private record Midstate(long held, Digests digests) {}

    Shelf(Records records, Store store) {
        this.records = records;
        this.store = store;
    }

    Records records() {
        return records;
    }

    Store store() {
        return store;
    }

    /** The owner's upload, compared with the disk. Whoever calls this, or what follows, has the claim. */
    Upload current(String owner, String id) throws SQLException, IOException {
        Upload upload = records.find(owner, id);
        if (upload != null && store.length(id) < upload.held()) {
            LOG.severe("upload " + id + ": the file is shorter than the " + upload.held()
                    + " bytes that were confirmed; it starts afresh");
            return reset(upload);
        }
        return upload;
    }

    /** Forgets all bytes of an upload. */
    Upload reset(Upload upload) throws SQLException, IOException {
        Upload fresh = upload.holding(Upload.State.PARTIAL, 0, new Digests());
        records.save(fresh);
        store.remove(upload.id());
        return fresh;
    }

    /**
     * The digests of what is held, to go on from: remembered, or after a restart computed from the file. <code>null
     * </code> when the file has other bytes than were confirmed.
     */
    Digests digests(Upload upload) throws IOException {
        synchronized (midstates) {
            Midstate known = midstates.get(upload.id());
            if (known != null && known.held == upload.held() && known.digests.md5().equals(upload.heldMd5())) {
                return known.digests.copy();
            }
        }
        Digests digests = store.digest(upload.id(), upload.held());
        return digests.sha256Hex().equals(upload.heldSha256()) ? digests : null;
    }

    /** Remembers the digests of what is held. */
    void remember(Upload upload, Digests digests) {
        synchronized (midstates) {
            if (upload.state() == Upload.State.PARTIAL) {
                midstates.put(upload.id(), new Midstate(upload.held(), digests.copy()));
            } else {
                midstates.remove(upload.id());
            }
        }
    }

    /** Finishes an upload with the bytes of another one of the same owner, if there is one with the same content. */
    Upload finishInstantly(Upload upload) throws SQLException {
        Upload twin = records.findContent(upload.file());
        if (twin == null) {
            return upload;
        }
        try {
            store.link(twin.id(), upload.id());
            // The twin may have begun anew meanwhile.
            boolean still = twin.equals(records.find(twin.file().owner(), twin.id()));
            if (!still || store.length(upload.id()) != twin.held()) {
                return upload;
            }
        } catch (IOException | UnsupportedOperationException error) {
            LOG.log(Level.WARNING, "upload " + twin.id() + " cannot be shared: its bytes have to come again", error);
            return upload;
        }
        Upload finished = upload.finishedAs(twin);
        records.save(finished);
        return finished;
    }
}
