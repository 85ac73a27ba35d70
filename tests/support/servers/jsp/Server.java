import java.io.File;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.scan.StandardJarScanner;

/** Runs the pages of this directory as an old Tomcat did: java -cp JARS Server.java PORT PAGES DATA. */
public class Server {
	public static void main(String[] args) throws Exception {
		Tomcat tomcat = new Tomcat();
		tomcat.setBaseDir(new File("base").getAbsolutePath());
		tomcat.setPort(Integer.parseInt(args[0]));
		tomcat.getConnector().setProperty("address", "127.0.0.1");
		// The default up to Tomcat 7.
		tomcat.getConnector().setURIEncoding("ISO-8859-1");
		Context pages = tomcat.addWebapp("", new File(args[1]).getAbsolutePath());
		pages.addParameter("data", args[2]);
		// The jars have no tags for pages, and reading them takes long.
		StandardJarScanner scanner = new StandardJarScanner();
		scanner.setScanClassPath(false);
		pages.setJarScanner(scanner);
		tomcat.start();
		tomcat.getServer().await();
	}
}
