package io.berth.cli.pull;

import io.berth.api.v1.BerthGrpc;
import io.berth.api.v1.PullProgress;
import io.berth.api.v1.WatchPullsRequest;
import io.berth.cli.client.Connection;
import io.berth.cli.output.Screen;
import io.berth.cri.v1.AuthConfig;
import io.berth.cri.v1.ImageSpec;
import io.berth.cri.v1.PullImageRequest;
import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;

/**
 * Pulls an image. On a terminal with bars, where the daemon reports progress; plain CRI has no call for that, so other
 * runtimes are waited for in silence.
 *
 * @param bars where they are drawn
 */
public record Pull(Connection berth, PrintWriter bars) {

    private static final long DRAW_MILLIS = 100;

    /**
     * What {@code reference} is now, as the runtime names it.
     *
     * @param handler the runtime handler that it is for; empty for the default one
     */
    public String image(String reference, Optional<AuthConfig> auth, String handler) {
        PullImageRequest.Builder request = PullImageRequest.newBuilder()
                .setImage(ImageSpec.newBuilder().setImage(reference).setRuntimeHandler(handler));
        auth.ifPresent(request::setAuth);
        if (!Screen.isTerminal(2)) {
            return berth.images().pullImage(request.build()).getImageRef();
        }
        PullBars state = new PullBars();
        try (Context.CancellableContext watching = Context.current().withCancellation()) {
            watching.run(() -> watch(reference, state));
            Thread drawing = Thread.ofVirtual().start(() -> draw(state));
            try {
                return berth.images().pullImage(request.build()).getImageRef();
            } finally {
                drawing.interrupt();
                join(drawing);
            }
        }
    }

    private void watch(String reference, PullBars state) {
        BerthGrpc.newStub(berth.channel()).watchPulls(WatchPullsRequest.getDefaultInstance(), new StreamObserver<>() {
            @Override
            public void onNext(PullProgress progress) {
                // The daemon may name the image in full.
                if (progress.getReference().endsWith(reference)) {
                    state.report(progress);
                }
            }

            @Override
            public void onError(Throwable notThisRuntime) {
                // Then there are no bars.
            }

            @Override
            public void onCompleted() {}
        });
    }

    private void draw(PullBars state) {
        int drawn = 0;
        try {
            while (true) {
                drawn = redraw(state, drawn);
                Thread.sleep(DRAW_MILLIS);
            }
        } catch (InterruptedException theEnd) {
            redraw(state, drawn);
        }
    }

    private int redraw(PullBars state, int drawn) {
        List<String> lines = state.lines();
        StringBuilder text = new StringBuilder(drawn > 0 ? "\033[" + drawn + "A" : "");
        lines.forEach(line -> text.append("\r\033[K").append(line).append('\n'));
        bars.print(text);
        bars.flush();
        return lines.size();
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
