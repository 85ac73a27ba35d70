package io.resup.receiver;

import java.sql.SQLException;

/** What a form's fields must say before anybody listens to them: whose it is, and its signature. */
final class Gate {
    /** How far a signed form's clock may be off, in milliseconds. */
    private static final long SKEW = 5 * 60 * 1000;

    /** Who is logged in; <code>null</code> where nobody needs to be. */
    private final String visitor;
    /** What the form is to be signed with; <code>null</code> if it is not. */
    private final Signing signing;
    private final Nonces nonces;
    private String sign = "";

    Gate(String visitor, Signing signing, Nonces nonces) {
        this.visitor = visitor;
        this.signing = signing;
        this.nonces = nonces;
    }

    /** Whose the form is. Its uploads are found under this name. */
    String owner() {
        return visitor == null ? "" : visitor;
    }

    /** Checks the fields before the file. */
    void head(Fields fields) throws Refusal, SQLException {
        if (signing != null) {
            if (!signing.isRight(fields, "sign", "") || !isFresh(fields)) {
                throw notSigned();
            }
            sign = fields.text("sign");
        }
        String user = fields.textOrEmpty("user");
        if (visitor != null && !user.isEmpty() && !user.equals(visitor)) {
            throw new Refusal(403, "the field 'user' says '" + Answer.excerpt(user) + "', the login '" + visitor + "'");
        }
    }

    /** Checks those after it. */
    void tail(Fields fields) throws Refusal {
        if (signing != null && !signing.isRight(fields, "sign_tail", sign)) {
            throw notSigned();
        }
    }

    private boolean isFresh(Fields fields) throws SQLException {
        String ts = fields.textOrEmpty("ts");
        String nonce = fields.textOrEmpty("nonce");
        if (!ts.matches("[0-9]{1,15}") || !nonce.matches("[0-9a-fA-F]{32}")) {
            return false;
        }
        long time = Long.parseLong(ts) * 1000;
        // Until the time stamp alone would refuse it, and the second that a stamp does not tell.
        return Math.abs(time - System.currentTimeMillis()) <= SKEW && nonces.isNew(nonce, time + SKEW + 1000);
    }

    /** Tells nothing of what is wrong. */
    private static Refusal notSigned() {
        return new Refusal(403, "the form is not signed as this receiver asks for");
    }
}
