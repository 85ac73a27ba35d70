// A window that uploads files: choose some, watch them, pause, resume, cancel.
//
//     java -cp resup-0.1.0.jar UploadWindow.java [URL [FILE...]]     (Java 11 or later runs the source as it is)
//
// Each upload runs on its own thread. The listener only passes numbers on: Swing's event thread reads and changes
// everything that is visible.
import io.resup.ResumableUpload;
import io.resup.ResumableUploadClient;
import io.resup.UploadListener;
import io.resup.UploadProgress;
import io.resup.UploadState;
import java.awt.BorderLayout;
import java.awt.Component;
import java.awt.Dimension;
import java.awt.FlowLayout;
import java.awt.event.MouseEvent;
import java.awt.event.WindowAdapter;
import java.awt.event.WindowEvent;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.swing.BorderFactory;
import javax.swing.Box;
import javax.swing.JButton;
import javax.swing.JFileChooser;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JPanel;
import javax.swing.JProgressBar;
import javax.swing.JScrollPane;
import javax.swing.JTable;
import javax.swing.JTextField;
import javax.swing.SwingUtilities;
import javax.swing.table.AbstractTableModel;
import javax.swing.table.TableCellRenderer;

public class UploadWindow {
    private final ExecutorService executor = Executors.newCachedThreadPool();
    private final List<Row> rows = new ArrayList<>();
    private final Model model = new Model();
    private final JTable table = new Table();
    private final JTextField url = new JTextField();
    private final JButton add = new JButton("Add files\u2026");
    private final JButton pause = new JButton("Pause");
    private final JButton resume = new JButton("Resume");
    private final JButton cancel = new JButton("Cancel");
    private final JButton again = new JButton("Again");
    private final JFrame frame = new JFrame("Uploads");

    public static void main(String[] arguments) {
        SwingUtilities.invokeLater(() -> {
            UploadWindow window = new UploadWindow();
            window.show(arguments.length > 0 ? arguments[0] : "http://127.0.0.1:8080/upload");
            for (int i = 1; i < arguments.length; i++)
                window.add(new File(arguments[i]));
        });
    }

    private void show(String server) {
        url.setText(server);
        add.addActionListener(event -> choose());
        pause.addActionListener(event -> selected(Row::isRunning, row -> row.upload.pause()));
        resume.addActionListener(event -> selected(Row::isPaused, row -> row.upload.resume()));
        cancel.addActionListener(event -> selected(row -> row.underWay, row -> row.upload.cancel()));
        again.addActionListener(event -> selected(Row::canRunAgain, this::start));
        table.getSelectionModel().addListSelectionListener(event -> enableButtons());
        table.setFillsViewportHeight(true);
        table.setRowHeight(26);
        table.setShowGrid(false);
        table.setIntercellSpacing(new Dimension(8, 4));
        table.getColumnModel().getColumn(1).setCellRenderer(new Bar());
        int[] widths = {190, 180, 330};
        for (int i = 0; i < widths.length; i++)
            table.getColumnModel().getColumn(i).setPreferredWidth(widths[i]);
        enableButtons();

        JPanel serverLine = new JPanel(new BorderLayout(8, 0));
        serverLine.add(new JLabel("Server"), BorderLayout.WEST);
        serverLine.add(url);
        JPanel buttons = new JPanel(new FlowLayout(FlowLayout.LEFT, 0, 0));
        // Alt and one of these keys press a button.
        String keys = "APRCG";
        for (JButton button : new JButton[] {add, pause, resume, cancel, again}) {
            button.setMnemonic(keys.charAt(buttons.getComponentCount() / 2));
            buttons.add(button);
            buttons.add(Box.createHorizontalStrut(8));
        }
        JPanel all = new JPanel(new BorderLayout(0, 10));
        all.setBorder(BorderFactory.createEmptyBorder(12, 12, 12, 12));
        all.add(serverLine, BorderLayout.NORTH);
        all.add(new JScrollPane(table));
        all.add(buttons, BorderLayout.SOUTH);
        frame.setContentPane(all);
        frame.setSize(740, 340);
        frame.setMinimumSize(new Dimension(560, 240));
        frame.setDefaultCloseOperation(JFrame.DISPOSE_ON_CLOSE);
        frame.addWindowListener(new WindowAdapter() {
            @Override
            public void windowClosed(WindowEvent event) {
                rows.stream().filter(row -> row.upload != null).forEach(row -> row.upload.close());
                executor.shutdown();
            }
        });
        frame.setVisible(true);
    }

    private void choose() {
        JFileChooser chooser = new JFileChooser();
        chooser.setMultiSelectionEnabled(true);
        if (chooser.showOpenDialog(frame) == JFileChooser.APPROVE_OPTION)
            for (File file : chooser.getSelectedFiles())
                add(file);
    }

    private void add(File file) {
        Row row = new Row(file.getName());
        // The upload keeps what it needs of the client.
        try (ResumableUploadClient client = ResumableUploadClient.create(url.getText().trim())) {
            row.upload = client.upload(file).listener(row).build();
        } catch (IOException | IllegalArgumentException | UnsatisfiedLinkError e) {
            row.text = e.getMessage();
        }
        rows.add(row);
        int index = rows.size() - 1;
        model.fireTableRowsInserted(index, index);
        table.setRowSelectionInterval(index, index);
        if (row.upload != null)
            start(row);
    }

    private void start(Row row) {
        row.underWay = true;
        row.text = "Starting\u2026";
        changed(row);
        row.upload.runAsync(executor).whenComplete((result, failure) -> {
            UploadProgress now = row.upload.progress();
            SwingUtilities.invokeLater(() -> row.ended(now, failure));
        });
    }

    private void selected(Predicate<Row> which, Consumer<Row> action) {
        for (int index : table.getSelectedRows())
            if (which.test(rows.get(index)))
                action.accept(rows.get(index));
    }

    private void changed(Row row) {
        int index = rows.indexOf(row);
        model.fireTableRowsUpdated(index, index);
        enableButtons();
    }

    /** Enables the buttons that have an effect on the selected rows. */
    private void enableButtons() {
        pause.setEnabled(any(Row::isRunning));
        resume.setEnabled(any(Row::isPaused));
        cancel.setEnabled(any(row -> row.underWay));
        again.setEnabled(any(Row::canRunAgain));
    }

    private boolean any(Predicate<Row> what) {
        for (int index : table.getSelectedRows())
            if (what.test(rows.get(index)))
                return true;
        return false;
    }

    /** A file and its upload, used on the event thread only, except for the methods of the listener. */
    private final class Row implements UploadListener {
        final String name;
        ResumableUpload upload;
        UploadState state = UploadState.READY;
        boolean underWay;
        double fraction;
        /** Why the last attempt failed. */
        String failure = "";
        String text = "";

        Row(String name) {
            this.name = name;
        }

        @Override
        public void progress(ResumableUpload self, UploadProgress now) {
            SwingUtilities.invokeLater(() -> show(now));
        }

        @Override
        public void state(ResumableUpload self, UploadState newState) {
            UploadProgress now = self.progress();
            String why = self.failure().orElse("");
            SwingUtilities.invokeLater(() -> {
                failure = why;
                show(now);
            });
        }

        void ended(UploadProgress now, Throwable failure) {
            underWay = false;
            show(now);
            if (failure == null)
                text = "Complete";
            else if (now.state() == UploadState.CANCELLED)
                text = now.offset() > 0 ? "Cancelled; the server keeps what it has" : "Cancelled";
            else
                text = failure.getMessage();
            changed(this);
        }

        boolean isRunning() {
            return underWay && state != UploadState.PAUSED;
        }

        boolean isPaused() {
            return underWay && state == UploadState.PAUSED;
        }

        /** Returns whether the upload may be run again. */
        boolean canRunAgain() {
            return upload != null && !underWay && state != UploadState.COMPLETE;
        }

        private void show(UploadProgress now) {
            state = now.state();
            fraction = now.fraction();
            text = words(now);
            changed(this);
        }

        private String words(UploadProgress now) {
            switch (now.state()) {
            case PAUSED:
                return now.offset() > 0 ? "Paused; the server keeps what it has" : "Paused";
            case WAITING:
                return "Waiting to try again: " + failure;
            case HASHING:
                return "Reading what the server has already";
            case VERIFYING:
                return "The server checks it";
            case SENDING:
                String left = now.timeLeft().map(time -> ", " + seconds(time.getSeconds()) + " left").orElse("");
                return String.format("%.1f of %.1f MB, %.1f MB/s%s", now.position() / 1e6, now.size() / 1e6,
                    now.rate() / 1e6, left);
            default:
                return "Asking the server";
            }
        }

        private String seconds(long time) {
            return String.format("%d:%02d:%02d", time / 3600, time / 60 % 60, time % 60);
        }
    }

    /** A table that shows the whole text of a row as its tool tip. */
    private final class Table extends JTable {
        private static final long serialVersionUID = 1;

        Table() {
            super(model);
        }

        @Override
        public String getToolTipText(MouseEvent event) {
            int row = rowAtPoint(event.getPoint());
            return row < 0 ? null : rows.get(row).text;
        }
    }

    private final class Model extends AbstractTableModel {
        private static final long serialVersionUID = 1;

        @Override
        public int getRowCount() {
            return rows.size();
        }

        @Override
        public int getColumnCount() {
            return 3;
        }

        @Override
        public String getColumnName(int column) {
            return new String[] {"File", "Progress", "What it does"}[column];
        }

        @Override
        public Object getValueAt(int row, int column) {
            Row shown = rows.get(row);
            return column == 0 ? shown.name : column == 1 ? (Object) shown.fraction : shown.text;
        }
    }

    private static final class Bar extends JProgressBar implements TableCellRenderer {
        private static final long serialVersionUID = 1;

        Bar() {
            super(0, 1000);
            setStringPainted(true);
            setBorderPainted(false);
        }

        @Override
        public Component getTableCellRendererComponent(JTable table, Object value, boolean selected, boolean focused,
                int row, int column) {
            double fraction = (Double) value;
            setValue((int) (fraction * 1000));
            setString(String.format("%.1f %%", fraction * 100));
            setBackground(selected ? table.getSelectionBackground() : table.getBackground());
            return this;
        }
    }
}
