package io.resup.receiver;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.sql.SQLException;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The receiver: what all requests share, and the choice of a request's handler. */
final class Receiver implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Receiver.class.getName());

    private final Users users;
    private final Signing signing;
    private final Database database;
    private final Nonces nonces;
    private final Locks locks = new Locks();
    private final LocateHandler locate;
    private final DiscardHandler discard;
    private final SendHandler send;
    private final StoreHandler store;

    Receiver(Settings settings) throws IOException, SQLException {
        users = Users.read(settings.users());
        signing = Signing.read(settings.secretFile(), settings.algorithm());
        database = new Database(settings.jdbc(), settings.jdbcUser(), settings.jdbcPassword());
        nonces = new Nonces(database);
        Uploads uploads = new Uploads(new Records(database), new Store(settings.data()));
        Limits limits = settings.limits();
        locate = new LocateHandler(uploads, locks, limits);
        discard = new DiscardHandler(uploads, locks);
        send = new SendHandler(uploads, locks, limits);
        store = new StoreHandler(uploads, locks, limits);
    }

    /** Answers a request. A {@link Refusal} has the response to one that is refused. */
    JsonResponse handle(HttpServletRequest request)
            throws Refusal, IOException, SQLException, InterruptedException {
        if ("cross-site".equals(request.getHeader("Sec-Fetch-Site"))) {
            throw new Refusal(403, "a page of another site cannot upload in its visitor's name");
        }
        Access access = new Access(users.authenticate(request), signing, nonces);
        if (request.getMethod().equals("GET")) {
            String query = request.getQueryString();
            return locate.handle(access, Fields.parse(query == null ? "" : query));
        }
        String type = request.getContentType() == null ? "" : request.getContentType();
        InputStream body = request.getInputStream();
        switch (type.split(";")[0].trim().toLowerCase(Locale.ROOT)) {
            case "application/x-www-form-urlencoded":
                Fields fields = Fields.parse(body);
                boolean discards = "discard".equals(fields.text("action"));
                return discards ? discard.handle(access, fields) : locate.handle(access, fields);
            case "multipart/form-data":
                return handle(access, new Multipart(body, Multipart.boundary(type)));
            default:
                throw new Refusal(415, "Content-Type '" + JsonResponse.excerpt(type) + "' is not that of a form");
        }
    }

    /** Answers a request that brings bytes. */
    private JsonResponse handle(Access access, Multipart form)
            throws Refusal, IOException, SQLException, InterruptedException {
        Fields fields = form.readHead();
        access.checkHead(fields);
        String action = fields.required("action");
        switch (action) {
            case "send":
                return send.handle(access, form, fields);
            case "store":
                return store.handle(access, form, fields);
            default:
                throw Refusal.ofField("action", action);
        }
    }

    /** Stops the running uploads. Received bytes are kept. */
    @Override
    public void close() {
        try {
            locks.close();
        } catch (IOException | SQLException error) {
            LOG.log(Level.SEVERE, "what has come last is not kept", error);
        }
        database.close();
    }
}
