#include "import/onnx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/message.h"

/* Fields of the messages, by their numbers. */
enum { MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_NOTE = 14 };
enum { OPSET_DOMAIN = 1, OPSET_VERSION };
enum { NOTE_KEY = 1, NOTE_VALUE };
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
enum {
    TENSOR_SIZES = 1,
    TENSOR_TYPE,
    TENSOR_SEGMENT,
    TENSOR_FLOATS,
    TENSOR_INT32S,
    TENSOR_INT64S = 7,
    TENSOR_NAME,
    TENSOR_RAW,
    TENSOR_DOUBLES,
    TENSOR_UINT64S,
    TENSOR_OUTSIDE = 13,
    TENSOR_WHERE = 14
};
enum { VALUE_NAME = 1, VALUE_TYPE };

/* More than these are no network. */
enum { NODES_MOST = 20000, LIST_MOST = 100000 };
static const int64_t count_most = INT64_C(1) << 31;

typedef struct {
    spor_arena *arena;
    spor_message *message;
    jmp_buf *end;
    proto_range bytes;
    onnx_beside *beside;
    void *user;
} reader;

static _Noreturn void give_up(const reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static _Noreturn void give_up(const reader *r, const char *format, ...) {
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message_complain(r->message, "%s", text);
    longjmp(*r->end, 1);
}

static void *take(const reader *r, size_t count, size_t each) {
    void *taken = arena_take(r->arena, (count + 1) * each);
    if (!taken) give_up(r, "out of memory");
    return taken;
}

/* The next field of a message, of this kind if it is one that is known. */
static bool next(const reader *r, proto_range *message, proto_field *field, const char *what) {
    const proto_step step = proto_next(message, field);
    if (step == PROTO_BROKEN)
        give_up(r, "is no ONNX file, or it is cut off: a field of its %s is broken", what);
    return step == PROTO_FIELD;
}

static void expect(const reader *r, const proto_field *field, proto_kind kind, const char *what) {
    if (field->kind != kind)
        give_up(r, "is no ONNX file: field %u of a %s is of another kind", (unsigned)field->number,
                what);
}

static proto_range bytes_of(const reader *r, const proto_field *field, const char *what) {
    expect(r, field, PROTO_LENGTH, what);
    return field->bytes;
}

static const char *text_of(const reader *r, const proto_field *field, const char *what) {
    const proto_range bytes = bytes_of(r, field, what);
    const size_t size = proto_size(bytes);
    if (size > 4096 && field->number != ATTRIBUTE_TEXT && field->number != NOTE_VALUE)
        give_up(r, "a name in a %s has %zu bytes", what, size);
    if (size && memchr(bytes.at, 0, size)) give_up(r, "a text in a %s has a zero byte", what);
    char *text = take(r, size, 1);
    if (size) memcpy(text, bytes.at, size);
    return text;
}

static int64_t integer_of(const reader *r, const proto_field *field, const char *what) {
    expect(r, field, PROTO_VARINT, what);
    return (int64_t)field->value;
}

/* How many fields of this number there are; more than `most` are refused. */
static int count_fields(const reader *r, proto_range message, uint32_t number, int most,
                        const char *what) {
    int count = 0;
    for (proto_field field; next(r, &message, &field, what);)
        if (field.number == number && ++count > most)
            give_up(r, "a %s has more than %d entries of one kind", what, most);
    return count;
}

/* ---- lists of numbers, packed or one by one ---- */

static int count_list(const reader *r, const proto_field *field, int width, const char *what) {
    int count = 0;
    bool broken = false;
    if (field->kind != PROTO_LENGTH) return 1;
    proto_range list = field->bytes;
    if (width && proto_size(list) % (size_t)width) give_up(r, "a list of a %s is cut off", what);
    if (width) return (int)(proto_size(list) / (size_t)width);
    for (uint64_t value; proto_varint(&list, &value, &broken);) count++;
    if (broken) give_up(r, "a list of a %s is cut off", what);
    return count;
}

static int64_t *add_integers(const reader *r, const proto_field *field, int64_t *to) {
    bool broken = false;
    proto_range list = field->bytes;
    if (field->kind == PROTO_VARINT) return *to++ = (int64_t)field->value, to;
    expect(r, field, PROTO_LENGTH, "list");
    for (uint64_t value; proto_varint(&list, &value, &broken);) *to++ = (int64_t)value;
    return to;
}

static double *add_reals(const reader *r, const proto_field *field, double *to) {
    if (field->kind == PROTO_FOUR_BYTES) return *to++ = (double)proto_float(field), to;
    expect(r, field, PROTO_LENGTH, "list");
    for (const unsigned char *at = field->bytes.at; at < field->bytes.end; at += 4) {
        float value;
        memcpy(&value, at, sizeof value);
        *to++ = (double)value;
    }
    return to;
}

/* ---- tensors ---- */

static void add_sizes(const reader *r, const proto_field *field, onnx_numbers *t) {
    if (t->rank + count_list(r, field, 0, "tensor") > SPOR_RANK)
        give_up(r, "tensor '%.200s' has more than %d axes", t->name, SPOR_RANK);
    t->rank = (int)(add_integers(r, field, t->size + t->rank) - t->size);
}

static void count_elements(const reader *r, onnx_numbers *t) {
    t->count = 1;
    for (int k = 0; k < t->rank; k++)
        if (t->size[k] < 0) give_up(r, "tensor '%.200s' has a negative size", t->name);
    for (int k = 0; k < t->rank; k++) {
        if (t->size[k] && t->count > count_most / t->size[k])
            give_up(r, "tensor '%.200s' has more than 2^31 elements", t->name);
        t->count *= t->size[k];
    }
}

/* Where numbers are that are in another file. */
typedef struct {
    const char *file, *offset, *length;
} outside;

static void read_outside(const reader *r, proto_range message, outside *o) {
    const char *key = "", *value = "";
    for (proto_field f; next(r, &message, &f, "tensor");) {
        if (f.number == NOTE_KEY) key = text_of(r, &f, "tensor");
        if (f.number == NOTE_VALUE) value = text_of(r, &f, "tensor");
    }
    if (!strcmp(key, "location")) o->file = value;
    if (!strcmp(key, "offset")) o->offset = value;
    if (!strcmp(key, "length")) o->length = value;
}

/* A relative path that leads to no folder above. */
static bool is_beside(const char *name) {
    if (!*name || *name == '/' || strchr(name, '\\')) return false;
    for (const char *at = name; *at; at += strcspn(at, "/"), at += *at == '/')
        if (strcspn(at, "/") == 2 && !strncmp(at, "..", 2)) return false;
    return true;
}

/* A whole number that is not negative and below 2^62. */
static bool take_whole(const char *text, uint64_t *value) {
    *value = 0;
    if (!*text || strlen(text) > 18) return false;
    for (; *text >= '0' && *text <= '9'; text++) *value = *value * 10 + (uint64_t)(*text - '0');
    return !*text;
}

/* The bytes become the tensor's own. */
static void find_outside(const reader *r, onnx_numbers *t, const outside *o) {
    spor_message message = {""};
    proto_range all;
    uint64_t offset = 0, length;
    if (!is_beside(o->file))
        give_up(r,
                "the numbers of tensor '%.200s' are in '%.200s', which is not beside the file: in "
                "Python, "
                "onnx.save(onnx.load(file), \"one.onnx\", save_as_external_data=False) puts all "
                "into one",
                t->name, o->file);
    if (!r->beside(o->file, &all, r->user, &message))
        give_up(r, "the numbers of tensor '%.200s' are in another file: %s", t->name, message.text);
    length = proto_size(all);
    if ((*o->offset && !take_whole(o->offset, &offset)) || offset > length)
        give_up(r, "tensor '%.200s' begins behind the end of '%.200s'", t->name, o->file);
    length -= offset;
    if (*o->length && (!take_whole(o->length, &length) || length > proto_size(all) - offset))
        give_up(r, "tensor '%.200s' ends behind the end of '%.200s'", t->name, o->file);
    t->raw = (proto_range){all.at + offset, all.at + offset + length};
    t->has_raw = true;
}

static void read_tensor(const reader *r, proto_range message, onnx_numbers *t) {
    proto_range rest = message;
    bool is_outside = false;
    outside o = {"", "", ""};
    *t = (onnx_numbers){.name = "", .body = message};
    for (proto_field field; next(r, &rest, &field, "tensor");) switch (field.number) {
        case TENSOR_SIZES:
            add_sizes(r, &field, t);
            break;
        case TENSOR_TYPE:
            t->type = (int)integer_of(r, &field, "tensor");
            break;
        case TENSOR_NAME:
            t->name = text_of(r, &field, "tensor");
            break;
        case TENSOR_RAW:
            t->raw = bytes_of(r, &field, "tensor");
            t->has_raw = true;
            break;
        case TENSOR_SEGMENT:
            give_up(r, "a tensor is cut into segments, which nobody writes");
        case TENSOR_OUTSIDE:
            read_outside(r, bytes_of(r, &field, "tensor"), &o);
            break;
        case TENSOR_WHERE:
            is_outside = integer_of(r, &field, "tensor") != 0;
            break;
        default:
            break;
        }
    count_elements(r, t);
    if (is_outside) find_outside(r, t, &o);
}

/* ---- nodes ---- */

static void read_attribute(const reader *r, proto_range message, onnx_attribute *a) {
    static const onnx_kind kinds[] = {ONNX_OTHER, ONNX_REAL,  ONNX_INTEGER,  ONNX_TEXT, ONNX_TENSOR,
                                      ONNX_GRAPH, ONNX_REALS, ONNX_INTEGERS, ONNX_TEXTS};
    proto_range rest = message;
    int64_t type = 0;
    int integers = 0, reals = 0, texts = 0;
    for (proto_field f; next(r, &rest, &f, "attribute");) {
        if (f.number == ATTRIBUTE_INTEGERS) integers += count_list(r, &f, 0, "attribute");
        if (f.number == ATTRIBUTE_REALS) reals += count_list(r, &f, 4, "attribute");
        texts += f.number == ATTRIBUTE_TEXTS;
    }
    *a = (onnx_attribute){.name = "", .text = "", .kind = ONNX_OTHER};
    a->integers = take(r, (size_t)integers, sizeof *a->integers);
    a->reals = take(r, (size_t)reals, sizeof *a->reals);
    a->texts = take(r, (size_t)texts, sizeof *a->texts);
    texts = 0;
    int64_t *integer = a->integers;
    double *real = a->reals;
    rest = message;
    for (proto_field f; next(r, &rest, &f, "attribute");) switch (f.number) {
        case ATTRIBUTE_NAME:
            a->name = text_of(r, &f, "attribute");
            break;
        case ATTRIBUTE_REAL:
            expect(r, &f, PROTO_FOUR_BYTES, "attribute");
            a->real = (double)proto_float(&f);
            break;
        case ATTRIBUTE_INTEGER:
            a->integer = integer_of(r, &f, "attribute");
            break;
        case ATTRIBUTE_TEXT:
            a->text = text_of(r, &f, "attribute");
            break;
        case ATTRIBUTE_TENSOR:
            read_tensor(r, bytes_of(r, &f, "attribute"), &a->tensor);
            break;
        case ATTRIBUTE_INTEGERS:
            integer = add_integers(r, &f, integer);
            break;
        case ATTRIBUTE_REALS:
            real = add_reals(r, &f, real);
            break;
        case ATTRIBUTE_TEXTS:
            a->texts[texts++] = text_of(r, &f, "attribute");
            break;
        case ATTRIBUTE_TYPE:
            type = integer_of(r, &f, "attribute");
            break;
        default:
            break;
        }
    if (type > 0 && type < (int64_t)(sizeof kinds / sizeof *kinds)) a->kind = kinds[type];
    a->count = a->kind == ONNX_REALS ? reals : a->kind == ONNX_TEXTS ? texts : integers;
}

static void read_node(const reader *r, proto_range message, onnx_node *n) {
    proto_range rest = message;
    *n = (onnx_node){.name = "", .op = "", .domain = ""};
    n->input =
        take(r, (size_t)count_fields(r, message, NODE_INPUT, 1000, "node"), sizeof *n->input);
    n->output =
        take(r, (size_t)count_fields(r, message, NODE_OUTPUT, 1000, "node"), sizeof *n->output);
    n->attribute = take(r, (size_t)count_fields(r, message, NODE_ATTRIBUTE, 100, "node"),
                        sizeof *n->attribute);
    for (proto_field f; next(r, &rest, &f, "node");) switch (f.number) {
        case NODE_INPUT:
            n->input[n->inputs++] = text_of(r, &f, "node");
            break;
        case NODE_OUTPUT:
            n->output[n->outputs++] = text_of(r, &f, "node");
            break;
        case NODE_NAME:
            n->name = text_of(r, &f, "node");
            break;
        case NODE_OP:
            n->op = text_of(r, &f, "node");
            break;
        case NODE_DOMAIN:
            n->domain = text_of(r, &f, "node");
            break;
        case NODE_ATTRIBUTE:
            read_attribute(r, bytes_of(r, &f, "node"), &n->attribute[n->attributes++]);
            break;
        default:
            break;
        }
}

/* ---- inputs and outputs ---- */

enum { TYPE_TENSOR = 1, TENSOR_TYPE_ELEMENT = 1, TENSOR_TYPE_SHAPE };
enum { SHAPE_AXIS = 1, AXIS_SIZE = 1, AXIS_NAME };

static void read_axis(const reader *r, proto_range message, onnx_axis_size *axis) {
    *axis = (onnx_axis_size){-1, ""};
    for (proto_field f; next(r, &message, &f, "shape");) {
        if (f.number == AXIS_SIZE) axis->size = integer_of(r, &f, "shape");
        if (f.number == AXIS_NAME) axis->name = text_of(r, &f, "shape");
        if (f.number == AXIS_SIZE && axis->size < 0)
            give_up(r, "an input or output has a negative size");
    }
}

static void read_shape(const reader *r, proto_range message, onnx_value_info *v) {
    v->rank = 0;
    for (proto_field f; next(r, &message, &f, "shape");) {
        if (f.number != SHAPE_AXIS) continue;
        if (v->rank == SPOR_RANK) give_up(r, "'%.200s' has more than %d axes", v->name, SPOR_RANK);
        read_axis(r, bytes_of(r, &f, "shape"), &v->axis[v->rank++]);
    }
}

static void read_type(const reader *r, proto_range message, onnx_value_info *v) {
    for (proto_field type; next(r, &message, &type, "type");) {
        if (type.number != TYPE_TENSOR) continue;
        proto_range tensor = bytes_of(r, &type, "type");
        for (proto_field f; next(r, &tensor, &f, "type");) {
            if (f.number == TENSOR_TYPE_ELEMENT) v->type = (int)integer_of(r, &f, "type");
            if (f.number == TENSOR_TYPE_SHAPE) read_shape(r, bytes_of(r, &f, "type"), v);
        }
    }
}

static void read_value(const reader *r, proto_range message, onnx_value_info *v) {
    proto_range rest = message;
    *v = (onnx_value_info){.name = "", .rank = -1};
    for (proto_field f; next(r, &rest, &f, "input");)
        if (f.number == VALUE_NAME) v->name = text_of(r, &f, "input");
    for (proto_field f; next(r, &message, &f, "input");)
        if (f.number == VALUE_TYPE) read_type(r, bytes_of(r, &f, "input"), v);
}

/* ---- the model ---- */

static void read_graph(const reader *r, proto_range message, onnx_model *m) {
    proto_range rest = message;
    m->node =
        take(r, (size_t)count_fields(r, message, GRAPH_NODE, NODES_MOST, "graph"), sizeof *m->node);
    m->tensor = take(r, (size_t)count_fields(r, message, GRAPH_KNOWN, LIST_MOST, "graph"),
                     sizeof *m->tensor);
    m->input = take(r, (size_t)count_fields(r, message, GRAPH_INPUT, LIST_MOST, "graph"),
                    sizeof *m->input);
    m->output =
        take(r, (size_t)count_fields(r, message, GRAPH_OUTPUT, 1000, "graph"), sizeof *m->output);
    for (proto_field f; next(r, &rest, &f, "graph");) switch (f.number) {
        case GRAPH_NODE:
            read_node(r, bytes_of(r, &f, "graph"), &m->node[m->nodes++]);
            break;
        case GRAPH_NAME:
            m->graph = text_of(r, &f, "graph");
            break;
        case GRAPH_KNOWN:
            read_tensor(r, bytes_of(r, &f, "graph"), &m->tensor[m->tensors++]);
            break;
        case GRAPH_INPUT:
            read_value(r, bytes_of(r, &f, "graph"), &m->input[m->inputs++]);
            break;
        case GRAPH_OUTPUT:
            read_value(r, bytes_of(r, &f, "graph"), &m->output[m->outputs++]);
            break;
        case GRAPH_SPARSE:
            give_up(r, "the graph has sparse tensors, which spor does not read");
        default:
            break;
        }
}

static void read_opset(const reader *r, proto_range message, onnx_model *m) {
    const char *domain = "";
    int64_t version = 0;
    for (proto_field f; next(r, &message, &f, "opset");) {
        if (f.number == OPSET_DOMAIN) domain = text_of(r, &f, "opset");
        if (f.number == OPSET_VERSION) version = integer_of(r, &f, "opset");
    }
    if (!*domain || !strcmp(domain, "ai.onnx")) m->opset = version;
}

static void read_note(const reader *r, proto_range message, onnx_metadata *note) {
    *note = (onnx_metadata){"", ""};
    for (proto_field f; next(r, &message, &f, "metadata");) {
        if (f.number == NOTE_KEY) note->key = text_of(r, &f, "metadata");
        if (f.number == NOTE_VALUE) note->value = text_of(r, &f, "metadata");
    }
}

static void read_model(const reader *r, onnx_model *m) {
    const proto_range message = r->bytes;
    proto_range rest = message;
    int graphs = 0;
    m->note = take(r, (size_t)count_fields(r, message, MODEL_NOTE, 1000, "model"), sizeof *m->note);
    for (proto_field f; next(r, &rest, &f, "model");) switch (f.number) {
        case MODEL_PRODUCER:
            m->producer = text_of(r, &f, "model");
            break;
        case MODEL_GRAPH:
            if (graphs++) give_up(r, "has two graphs");
            read_graph(r, bytes_of(r, &f, "model"), m);
            break;
        case MODEL_OPSET:
            read_opset(r, bytes_of(r, &f, "model"), m);
            break;
        case MODEL_NOTE:
            read_note(r, bytes_of(r, &f, "model"), &m->note[m->notes++]);
            break;
        default:
            break;
        }
    if (!graphs) give_up(r, "is no ONNX file: it has no graph");
}

bool onnx_read(proto_range bytes, onnx_beside *beside, void *user, spor_arena *arena,
               onnx_model *model, spor_message *message) {
    jmp_buf end;
    const reader r = {arena, message, &end, bytes, beside, user};
    *model = (onnx_model){.producer = "", .graph = ""};
    if (setjmp(end)) return false;
    read_model(&r, model);
    return true;
}
