import java.io.File;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;

/** Tomcat with small limits: folder, port, maxThreads, maxConnections, acceptCount. A request `/?5000` takes 5 s. */
public class SmallTomcat {
    public static class Wait extends jakarta.servlet.http.HttpServlet {
        @Override
        protected void doGet(jakarta.servlet.http.HttpServletRequest request, jakarta.servlet.http.HttpServletResponse response)
            throws java.io.IOException {
            String wait = request.getQueryString();
            try {
                Thread.sleep(wait == null ? 0 : Integer.parseInt(wait));
            } catch (InterruptedException ended) {
                return;
            }
            response.getWriter().print("ok");
        }
    }

    public static void main(String[] words) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(words[0]);
        Connector connector = new Connector("HTTP/1.1");
        connector.setPort(Integer.parseInt(words[1]));
        connector.setProperty("address", "127.0.0.1");
        connector.setProperty("minSpareThreads", "1");
        connector.setProperty("maxThreads", words[2]);
        connector.setProperty("maxConnections", words[3]);
        connector.setProperty("acceptCount", words[4]);
        connector.setProperty("keepAliveTimeout", "60000");
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", new File(words[0]).getAbsolutePath());
        Wrapper wrapper = Tomcat.addServlet(context, "wait", new Wait());
        wrapper.addMapping("/");
        tomcat.start();
        System.out.println("listening");
        tomcat.getServer().await();
    }
}
