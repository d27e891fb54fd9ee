import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import java.sql.Connection;
import java.util.Scanner;

/** HikariCP with ten connections: URL, and how many threads run a query that takes a minute. Says its own numbers for each line of stdin. */
public class Hikari {
    public static void main(String[] words) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(words[0]);
        config.setUsername("root");
        config.setPassword("");
        config.setMaximumPoolSize(10);
        config.setMinimumIdle(10);
        config.setConnectionTimeout(120_000);
        HikariDataSource source = new HikariDataSource(config);
        HikariPoolMXBean pool = source.getHikariPoolMXBean();
        while (pool.getTotalConnections() < 10) Thread.sleep(20);
        for (int query = 0; query < Integer.parseInt(words[1]); query++) daemon(() -> sleep(source));
        System.out.println("ready");
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            lines.nextLine();
            System.out.printf(
                "{\"total\":%d,\"active\":%d,\"idle\":%d,\"waiting\":%d}%n",
                pool.getTotalConnections(), pool.getActiveConnections(), pool.getIdleConnections(),
                pool.getThreadsAwaitingConnection());
        }
        System.exit(0);
    }

    private static void sleep(HikariDataSource source) {
        try (Connection connection = source.getConnection()) {
            connection.createStatement().execute("SELECT SLEEP(60)");
        } catch (java.sql.SQLException ended) {
            System.err.println(ended);
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }
}
