import com.ericsson.otp.erlang.OtpEpmd;
import com.ericsson.otp.erlang.OtpNode;
import com.ericsson.otp.erlang.OtpPeer;
import com.ericsson.otp.erlang.OtpSelf;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/**
 * A Java node that does what it reads, a word a line, and prints what came of
 * it: open, lookup, names, ping, refused, close.
 */
public class Node {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        OtpNode node = null;
        String line;

        while ((line = in.readLine()) != null) {
            switch (line) {
            case "open":
                node = new OtpNode("java@real", "real");
                System.out.println("open " + (node.port() > 0));
                break;
            case "lookup":
                System.out.println("lookup " +
                        (OtpEpmd.lookupPort(new OtpPeer("java@real")) == node.port()));
                break;
            case "names":
                for (String name : OtpEpmd.lookupNames())
                    System.out.println(name.replaceFirst("port [0-9]+$", "port"));
                break;
            case "ping":
                System.out.println("ping " + node.ping("erl@real", 5000));
                break;
            case "refused":
                refused();
                break;
            case "close":
                node.close();
                System.out.println("closed");
                break;
            }
        }
    }

    /** A second node of the same name; its unPublishPort sends STOP_REQ for it. */
    private static void refused() throws IOException {
        OtpSelf second = new OtpSelf("java@real", "real");
        boolean published;

        try {
            published = second.publishPort();
        } catch (IOException e) {
            published = false;
        }
        second.unPublishPort();
        System.out.println("published " + published);
    }
}
