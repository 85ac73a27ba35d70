package io.resup.receiver;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** The endpoint, called by Tomcat. It turns each result and each exception into a response. */
public final class UploadServlet extends HttpServlet {
    private static final long serialVersionUID = 1;

    private transient Receiver receiver;

    /** Makes the servlet; called by Tomcat. */
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
        JsonResponse result;
        try {
            result = receiver.handle(request);
        } catch (Refusal refusal) {
            result = refusal.response();
        } catch (Exception error) {
            result = JsonResponse.failure(error);
        }
        result.write(response);
        if (result.closesConnection()) {
            LingeringClose.drain(request.getInputStream());
        }
    }
}
