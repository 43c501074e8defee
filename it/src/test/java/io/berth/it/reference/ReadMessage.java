package io.berth.it.reference;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.Tree;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the words out of an expression of the source. */
final class ReadMessage {

    /** Calls that say nothing more than what they are called on. */
    private static final Set<String> PLAIN = Set.of("toString", "name", "get", "value", "hex", "getFileName", "strip", "orElse",
            "orElseThrow", "getName", "getSimpleName", "text", "words", "toList", "getClass");
    private static final Set<String> REASONS = Set.of("getMessage", "reason", "getDescription", "message", "oneLine");

    private final Map<String, String> constants;

    /** @param constants the file's own texts by name */
    ReadMessage(Map<String, String> constants) {
        this.constants = constants;
    }

    Message of(ExpressionTree expression) {
        return switch (expression) {
            case LiteralTree literal -> Message.text(String.valueOf(literal.getValue()));
            case BinaryTree sum when sum.getKind() == Tree.Kind.PLUS ->
                of(sum.getLeftOperand()).then(of(sum.getRightOperand()));
            case ParenthesizedTree inner -> of(inner.getExpression());
            case ConditionalExpressionTree either -> either(of(either.getTrueExpression()), of(either.getFalseExpression()));
            case IdentifierTree name when constants.containsKey(name.getName().toString()) ->
                Message.text(constants.get(name.getName().toString()));
            case IdentifierTree name -> Message.open(name.getName().toString());
            case MemberSelectTree field -> Message.open(field.getIdentifier().toString());
            case MethodInvocationTree call -> call(call);
            default -> Message.open("value");
        };
    }

    private static Message either(Message one, Message other) {
        if (!one.saysSomething() && !other.saysSomething()) {
            return one.parts().isEmpty() ? other : one;
        }
        return one.toString().isEmpty() ? Message.text("[").then(other).then(Message.text("]"))
                : other.toString().isEmpty() ? Message.text("[").then(one).then(Message.text("]"))
                : Message.text("(").then(one).then(Message.text(" or ")).then(other).then(Message.text(")"));
    }

    private Message call(MethodInvocationTree call) {
        if (!(call.getMethodSelect() instanceof MemberSelectTree select)) {
            return Message.open(call.getMethodSelect().toString());
        }
        String name = select.getIdentifier().toString();
        if (REASONS.contains(name)) {
            return Message.open("reason");
        }
        if (name.equals("formatted")) {
            return formatted(of(select.getExpression()), call.getArguments());
        }
        if (name.equals("join") && call.getArguments().size() == 2) {
            return of(call.getArguments().get(1));
        }
        return PLAIN.contains(name) ? of(select.getExpression()) : Message.open(name);
    }

    private Message formatted(Message pattern, List<? extends ExpressionTree> values) {
        String[] texts = pattern.toString().split("%[0-9.]*[sdfx]", -1);
        Message all = Message.text(texts[0]);
        for (int i = 1; i < texts.length; i++) {
            all = all.then(i <= values.size() ? of(values.get(i - 1)) : Message.open("value")).then(Message.text(texts[i]));
        }
        return all;
    }
}
