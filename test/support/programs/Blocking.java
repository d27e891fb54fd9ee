import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A server of Java whose threads serve one connection each until that is closed: address, port, backlog, threads. */
public class Blocking {
    public static void main(String[] words) throws Exception {
        ServerSocket server =
            new ServerSocket(Integer.parseInt(words[1]), Integer.parseInt(words[2]), InetAddress.getByName(words[0]));
        for (int thread = 0; thread < Integer.parseInt(words[3]); thread++) new Thread(() -> serve(server)).start();
        System.out.println("listening");
    }

    private static void serve(ServerSocket server) {
        while (true) {
            try (Socket socket = server.accept()) {
                byte[] data = new byte[4096];
                for (int read; (read = socket.getInputStream().read(data)) > 0; ) socket.getOutputStream().write(data, 0, read);
            } catch (java.io.IOException gone) {
                // the next one
            }
        }
    }
}
