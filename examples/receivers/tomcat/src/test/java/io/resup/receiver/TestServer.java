package io.resup.receiver;

import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

/** A Tomcat with this receiver only, for trying and for tests. */
public final class TestServer {
    private TestServer() {}

    /**
     * Runs Tomcat until it is killed. Data are in <code>target/trial</code>, unless <code>resup.data</code> says otherwise.
     *
     * @param arguments the port, 8080 by default; 0 is any
     * @throws Exception when it does not start
     */
    public static void main(String[] arguments) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(Path.of(System.getProperty("resup.data", "target/trial")).toAbsolutePath().toString());
        tomcat.setHostname("localhost");
        tomcat.setPort(arguments.length == 0 ? 8080 : Integer.parseInt(arguments[0]));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        tomcat.getConnector().setThrowOnFailure(true);
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "upload", new UploadServlet()).setLoadOnStartup(1);
        context.addServletMappingDecoded("/upload", "upload");
        tomcat.start();
        System.out.println("listening on http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/upload");
        tomcat.getServer().await();
    }
}
