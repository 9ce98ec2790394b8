#include <string.h>

#include "import/reading.h"

/* Fields of the messages, by their numbers. */
enum { MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_NOTE = 14 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION };
enum {
    GRAPH_NODE = 1,
    GRAPH_NAME,
    GRAPH_KNOWN = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT,
    GRAPH_SPARSE = 15
};
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 7 };
enum {
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_REAL,
    ATTRIBUTE_INTEGER,
    ATTRIBUTE_TEXT,
    ATTRIBUTE_TENSOR,
    ATTRIBUTE_GRAPH,
    ATTRIBUTE_REALS,
    ATTRIBUTE_INTEGERS,
    ATTRIBUTE_TEXTS,
    ATTRIBUTE_TYPE = 20
};
enum { VALUE_NAME = 1, VALUE_TYPE };

/* More than these are no network. */
enum { NODES_MOST = 20000, LIST_MOST = 100000 };

/* ---- nodes ---- */

static void read_attribute(const onnx_reader *r, proto_range message, onnx_attribute *a) {
    static const onnx_kind kinds[] = {ONNX_OTHER, ONNX_REAL,  ONNX_INTEGER,  ONNX_TEXT, ONNX_TENSOR,
                                      ONNX_GRAPH, ONNX_REALS, ONNX_INTEGERS, ONNX_TEXTS};
    proto_range rest = message;
    int64_t type = 0;
    int integers = 0, reals = 0, texts = 0;
    for (proto_field f; reading_next(r, &rest, &f, "attribute");) {
        if (f.number == ATTRIBUTE_INTEGERS) integers += reading_count_list(r, &f, 0, "attribute");
        if (f.number == ATTRIBUTE_REALS) reals += reading_count_list(r, &f, 4, "attribute");
        texts += f.number == ATTRIBUTE_TEXTS;
    }
    *a = (onnx_attribute){.name = "", .text = "", .kind = ONNX_OTHER};
    a->integers = reading_take(r, (size_t)integers, sizeof *a->integers);
    a->reals = reading_take(r, (size_t)reals, sizeof *a->reals);
    a->texts = reading_take(r, (size_t)texts, sizeof *a->texts);
    texts = 0;
    int64_t *integer = a->integers;
    double *real = a->reals;
    rest = message;
    for (proto_field f; reading_next(r, &rest, &f, "attribute");) switch (f.number) {
        case ATTRIBUTE_NAME:
            a->name = reading_name(r, &f, "attribute");
            break;
        case ATTRIBUTE_REAL:
            reading_expect(r, &f, PROTO_FOUR_BYTES, "attribute");
            a->real = (double)proto_float(&f);
            break;
        case ATTRIBUTE_INTEGER:
            a->integer = reading_integer(r, &f, "attribute");
            break;
        case ATTRIBUTE_TEXT:
            a->text = reading_text(r, &f, "attribute");
            break;
        case ATTRIBUTE_TENSOR:
            reading_tensor(r, reading_bytes(r, &f, "attribute"), &a->tensor);
            break;
        case ATTRIBUTE_INTEGERS:
            integer = reading_add_integers(r, &f, integer);
            break;
        case ATTRIBUTE_REALS:
            real = reading_add_reals(r, &f, real);
            break;
        case ATTRIBUTE_TEXTS:
            a->texts[texts++] = reading_text(r, &f, "attribute");
            break;
        case ATTRIBUTE_TYPE:
            type = reading_integer(r, &f, "attribute");
            break;
        default:
            break;
        }
    if (type > 0 && type < (int64_t)(sizeof kinds / sizeof *kinds)) a->kind = kinds[type];
    a->count = a->kind == ONNX_REALS ? reals : a->kind == ONNX_TEXTS ? texts : integers;
}

static void read_node(const onnx_reader *r, proto_range message, onnx_node *n) {
    proto_range rest = message;
    *n = (onnx_node){.name = "", .op = "", .domain = ""};
    n->input = reading_take(r, (size_t)reading_count(r, message, NODE_INPUT, 1000, "node"),
                            sizeof *n->input);
    n->output = reading_take(r, (size_t)reading_count(r, message, NODE_OUTPUT, 1000, "node"),
                             sizeof *n->output);
    n->attribute = reading_take(r, (size_t)reading_count(r, message, NODE_ATTRIBUTE, 100, "node"),
                                sizeof *n->attribute);
    for (proto_field f; reading_next(r, &rest, &f, "node");) switch (f.number) {
        case NODE_INPUT:
            n->input[n->inputs++] = reading_name(r, &f, "node");
            break;
        case NODE_OUTPUT:
            n->output[n->outputs++] = reading_name(r, &f, "node");
            break;
        case NODE_NAME:
            n->name = reading_name(r, &f, "node");
            break;
        case NODE_OP:
            n->op = reading_name(r, &f, "node");
            break;
        case NODE_DOMAIN:
            n->domain = reading_name(r, &f, "node");
            break;
        case NODE_ATTRIBUTE:
            read_attribute(r, reading_bytes(r, &f, "node"), &n->attribute[n->attributes++]);
            break;
        default:
            break;
        }
}

/* ---- inputs and outputs ---- */

enum { TYPE_TENSOR = 1, TENSOR_TYPE_ELEMENT = 1, TENSOR_TYPE_SHAPE };
enum { SHAPE_AXIS = 1, AXIS_SIZE = 1, AXIS_NAME };

static void read_axis(const onnx_reader *r, proto_range message, onnx_axis_size *axis) {
    *axis = (onnx_axis_size){-1, ""};
    for (proto_field f; reading_next(r, &message, &f, "shape");) {
        if (f.number == AXIS_SIZE) axis->size = reading_integer(r, &f, "shape");
        if (f.number == AXIS_NAME) axis->name = reading_name(r, &f, "shape");
        if (f.number == AXIS_SIZE && axis->size < 0)
            reading_give_up(r, "an input or output has a negative size");
    }
}

static void read_shape(const onnx_reader *r, proto_range message, onnx_value_info *v) {
    v->rank = 0;
    for (proto_field f; reading_next(r, &message, &f, "shape");) {
        if (f.number != SHAPE_AXIS) continue;
        if (v->rank == SPOR_RANK)
            reading_give_up(r, "'%.200s' has more than %d axes", v->name, SPOR_RANK);
        read_axis(r, reading_bytes(r, &f, "shape"), &v->axis[v->rank++]);
    }
}

static void read_type(const onnx_reader *r, proto_range message, onnx_value_info *v) {
    for (proto_field type; reading_next(r, &message, &type, "type");) {
        if (type.number != TYPE_TENSOR) continue;
        proto_range tensor = reading_bytes(r, &type, "type");
        for (proto_field f; reading_next(r, &tensor, &f, "type");) {
            if (f.number == TENSOR_TYPE_ELEMENT) v->type = (int)reading_integer(r, &f, "type");
            if (f.number == TENSOR_TYPE_SHAPE) read_shape(r, reading_bytes(r, &f, "type"), v);
        }
    }
}

static void read_value(const onnx_reader *r, proto_range message, onnx_value_info *v) {
    proto_range rest = message;
    *v = (onnx_value_info){.name = "", .rank = -1};
    for (proto_field f; reading_next(r, &rest, &f, "input");)
        if (f.number == VALUE_NAME) v->name = reading_name(r, &f, "input");
    for (proto_field f; reading_next(r, &message, &f, "input");)
        if (f.number == VALUE_TYPE) read_type(r, reading_bytes(r, &f, "input"), v);
}

/* ---- the model ---- */

static void read_graph(const onnx_reader *r, proto_range message, onnx_model *m) {
    proto_range rest = message;
    m->node = reading_take(r, (size_t)reading_count(r, message, GRAPH_NODE, NODES_MOST, "graph"),
                           sizeof *m->node);
    m->tensor = reading_take(r, (size_t)reading_count(r, message, GRAPH_KNOWN, LIST_MOST, "graph"),
                             sizeof *m->tensor);
    m->input = reading_take(r, (size_t)reading_count(r, message, GRAPH_INPUT, LIST_MOST, "graph"),
                            sizeof *m->input);
    m->output = reading_take(r, (size_t)reading_count(r, message, GRAPH_OUTPUT, 1000, "graph"),
                             sizeof *m->output);
    for (proto_field f; reading_next(r, &rest, &f, "graph");) switch (f.number) {
        case GRAPH_NODE:
            read_node(r, reading_bytes(r, &f, "graph"), &m->node[m->nodes++]);
            break;
        case GRAPH_NAME:
            m->graph = reading_name(r, &f, "graph");
            break;
        case GRAPH_KNOWN:
            reading_tensor(r, reading_bytes(r, &f, "graph"), &m->tensor[m->tensors++]);
            break;
        case GRAPH_INPUT:
            read_value(r, reading_bytes(r, &f, "graph"), &m->input[m->inputs++]);
            break;
        case GRAPH_OUTPUT:
            read_value(r, reading_bytes(r, &f, "graph"), &m->output[m->outputs++]);
            break;
        case GRAPH_SPARSE:
            reading_give_up(r, "the graph has sparse tensors, which spor does not read");
        default:
            break;
        }
}

static void read_opset(const onnx_reader *r, proto_range message, onnx_model *m) {
    const char *domain = "";
    int64_t version = 0;
    for (proto_field f; reading_next(r, &message, &f, "opset");) {
        if (f.number == OPSET_DOMAIN) domain = reading_name(r, &f, "opset");
        if (f.number == OPSET_VERSION) version = reading_integer(r, &f, "opset");
    }
    if (!*domain || !strcmp(domain, "ai.onnx")) m->opset = version;
}

static void read_note(const onnx_reader *r, proto_range message, onnx_metadata *note) {
    *note = (onnx_metadata){"", ""};
    for (proto_field f; reading_next(r, &message, &f, "metadata");) {
        if (f.number == NOTE_KEY) note->key = reading_name(r, &f, "metadata");
        if (f.number == NOTE_VALUE) note->value = reading_text(r, &f, "metadata");
    }
}

static void read_model(const onnx_reader *r, onnx_model *m) {
    const proto_range message = r->bytes;
    proto_range rest = message;
    int graphs = 0;
    m->note = reading_take(r, (size_t)reading_count(r, message, MODEL_NOTE, 1000, "model"),
                           sizeof *m->note);
    for (proto_field f; reading_next(r, &rest, &f, "model");) switch (f.number) {
        case MODEL_PRODUCER:
            m->producer = reading_name(r, &f, "model");
            break;
        case MODEL_GRAPH:
            if (graphs++) reading_give_up(r, "has two graphs");
            read_graph(r, reading_bytes(r, &f, "model"), m);
            break;
        case MODEL_OPSET:
            read_opset(r, reading_bytes(r, &f, "model"), m);
            break;
        case MODEL_NOTE:
            read_note(r, reading_bytes(r, &f, "model"), &m->note[m->notes++]);
            break;
        default:
            break;
        }
    if (!graphs) reading_give_up(r, "is no ONNX file: it has no graph");
}

bool onnx_read(proto_range bytes, onnx_beside *beside, void *user, spor_arena *arena,
               onnx_model *model, spor_message *message) {
    jmp_buf end;
    const onnx_reader r = {arena, message, &end, bytes, beside, user};
    *model = (onnx_model){.producer = "", .graph = ""};
    if (setjmp(end)) return false;
    read_model(&r, model);
    return true;
}
