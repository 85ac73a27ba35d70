package io.resup.receiver;

import java.sql.SQLException;

/** The checks of a form's fields before any is used: who sends it, and its signature. */
final class Access {
    /** How far a signed form's clock may be off, in milliseconds. */
    private static final long SKEW = 5 * 60 * 1000;

    /** The name of the login; <code>null</code> where no login is needed. */
    private final String login;
    /** The secret of the signatures; <code>null</code> where forms are not signed. */
    private final Signing signing;
    private final Nonces nonces;
    private String sign = "";

    Access(String login, Signing signing, Nonces nonces) {
        this.login = login;
        this.signing = signing;
        this.nonces = nonces;
    }

    /** Returns the owner of the form's uploads; empty where no login is needed. */
    String owner() {
        return login == null ? "" : login;
    }

    /** Checks the fields before the file. */
    void checkHead(Fields fields) throws Refusal, SQLException {
        if (signing != null) {
            if (!signing.verify(fields, "sign", "") || !isFresh(fields)) {
                throw notSigned();
            }
            sign = fields.text("sign");
        }
        String user = fields.textOrEmpty("user");
        if (login != null && !user.isEmpty() && !user.equals(login)) {
            throw new Refusal(403,
                    "the field 'user' says '" + JsonResponse.excerpt(user) + "', the login '" + login + "'");
        }
    }

    /** Checks the fields after the file. */
    void checkTail(Fields fields) throws Refusal {
        if (signing != null && !signing.verify(fields, "sign_tail", sign)) {
            throw notSigned();
        }
    }

    /** Checks the time stamp, and takes note of the nonce. */
    private boolean isFresh(Fields fields) throws SQLException {
        String ts = fields.textOrEmpty("ts");
        String nonce = fields.textOrEmpty("nonce");
        if (!ts.matches("[0-9]{1,15}") || !nonce.matches("[0-9a-fA-F]{32}")) {
            return false;
        }
        long time = Long.parseLong(ts) * 1000;
        // The nonce is kept until the time stamp alone would refuse the form, and a second more, since a stamp is in
        // whole seconds.
        return Math.abs(time - System.currentTimeMillis()) <= SKEW && nonces.addIfNew(nonce, time + SKEW + 1000);
    }

    /** Makes the refusal of a wrong signature. It does not say what is wrong. */
    private static Refusal notSigned() {
        return new Refusal(403, "the form is not signed as this receiver asks for");
    }
}
