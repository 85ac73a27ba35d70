package io.resup.receiver;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.sql.SQLException;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What all requests share, and the way of a request through it. */
final class Receiver implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(Receiver.class.getName());

    private final Users users;
    private final Signing signing;
    private final Database database;
    private final Nonces nonces;
    private final Desk desk = new Desk();
    private final Locate locate;
    private final Send send;

    Receiver(Settings settings) throws IOException, SQLException {
        users = Users.read(settings.users());
        signing = Signing.read(settings.secretFile(), settings.algorithm());
        Store store = new Store(settings.data());
        database = new Database(settings.jdbc(), settings.jdbcUser(), settings.jdbcPassword());
        nonces = new Nonces(database);
        Shelf shelf = new Shelf(new Records(database), store);
        locate = new Locate(shelf, desk, settings);
        send = new Send(shelf, desk, settings);
    }

    /** Answers a request; {@link Refusal} is the answer to one that cannot be met. */
    Answer answer(HttpServletRequest request)
            throws Refusal, IOException, SQLException, InterruptedException {
        if ("cross-site".equals(request.getHeader("Sec-Fetch-Site"))) {
            throw new Refusal(403, "a page of another site cannot upload in its visitor's name");
        }
        Gate gate = new Gate(users.visitor(request), signing, nonces);
        if (request.getMethod().equals("GET")) {
            String query = request.getQueryString();
            return locate.answer(gate, Fields.parse(query == null ? "" : query));
        }
        String type = request.getContentType() == null ? "" : request.getContentType();
        InputStream body = request.getInputStream();
        switch (type.split(";")[0].trim().toLowerCase(Locale.ROOT)) {
            case "application/x-www-form-urlencoded":
                return locate.answer(gate, Fields.parse(body));
            case "multipart/form-data":
                return send.answer(gate, new Multipart(body, Multipart.boundary(type)));
            default:
                throw new Refusal(415, "Content-Type '" + Answer.excerpt(type) + "' is not that of a form");
        }
    }

    /** Ends what is under way, and keeps what came of it. */
    @Override
    public void close() {
        try {
            desk.close();
        } catch (IOException | SQLException error) {
            LOG.log(Level.SEVERE, "what has come last is not kept", error);
        }
        database.close();
    }
}
