package io.resup.receiver;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** The endpoint: what Tomcat calls. It turns whatever happens into an answer. */
public final class UploadServlet extends HttpServlet {
    private static final long serialVersionUID = 1;

    private transient Receiver receiver;

    /** Tomcat makes it. */
    public UploadServlet() {
        // The settings are not known before init.
    }

    @Override
    public void init() throws ServletException {
        try {
            receiver = new Receiver(new Settings(getServletContext()::getInitParameter));
        } catch (Exception error) {
            throw new ServletException("the receiver cannot start: " + error.getMessage(), error);
        }
    }

    @Override
    public void destroy() {
        receiver.close();
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        serve(request, response);
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        serve(request, response);
    }

    private void serve(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Answer answer;
        try {
            answer = receiver.answer(request);
        } catch (Refusal refusal) {
            answer = refusal.answer();
        } catch (Exception error) {
            answer = Answer.failure(error);
        }
        answer.write(response);
        if (answer.leavesBody()) {
            Linger.over(request.getInputStream());
        }
    }
}
