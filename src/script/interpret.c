/*
 * Statements and expressions: see interpret.h.
 */
#include "script/private.h"

#include <string.h>

#include "base/nearest.h"

/* ---- names ----------------------------------------------------------------------------------- */

static spor_binding *find_here(const spor_env *env, const char *name) {
    for (int k = 0; k < env->n; k++)
        if (env->binding[k].name == name) return &env->binding[k];
    return NULL;
}

spor_binding *env_find(const spor_env *env, const char *name) {
    spor_binding *found = NULL;
    for (; env && !found; env = env->parent) found = find_here(env, name);
    return found;
}

spor_binding *env_set(spor_pass *run, spor_env *env, const char *name, spor_value value) {
    spor_binding *binding = find_here(env, name);
    if (!binding) {
        if (env->n == SPOR_LIMIT_NAMES)
            pass_fail(run, (spor_spot){0}, "%s would be the name %d set in one place", name,
                      SPOR_LIMIT_NAMES + 1);
        if (env->n == env->room) {
            int room = env->room ? env->room * 2 : 8;
            spor_binding *grown = ground_take(&run->ground, (size_t)room, sizeof *grown);
            if (env->n) memcpy(grown, env->binding, (size_t)env->n * sizeof *grown);
            env->binding = grown;
            env->room = room;
        }
        binding = &env->binding[env->n++];
    }
    *binding = (spor_binding){.name = name, .value = value};
    return binding;
}

/* What others call what is known here, or NULL. */
static const char *elsewhere(const char *name) {
    static const char *const names[][2] = {
        {"arange", "iota"},        {"tril", "tri"},   {"amax", "max"},       {"power", "pow"},
        {"concatenate", "concat"}, {"cat", "concat"}, {"linear", "identity"}};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(names[k][0], name) == 0) return names[k][1];
    return NULL;
}

static bool can_be_called(const spor_value *value) {
    return value->kind == VALUE_FUNCTION || value->kind == VALUE_BUILTIN || value->kind == VALUE_OP;
}

const char *env_nearest(spor_pass *run, const spor_env *env, const char *name, bool called) {
    int count = 0, n = 0;
    const char *other = elsewhere(name);
    if (other) return other;
    for (const spor_env *e = env; e; e = e->parent) count += e->n;
    const char **names = ground_take(&run->ground, (size_t)count, sizeof *names);
    for (const spor_env *e = env; e; e = e->parent)
        for (int k = 0; k < e->n; k++)
            if (!called || can_be_called(&e->binding[k].value)) names[n++] = e->binding[k].name;
    return nearest_name(name, n, names);
}

static _Noreturn void unknown_name(spor_pass *run, const spor_env *env, const spor_syntax *node) {
    if (script_layer(run, node->text))
        pass_fail(run, node->place, "%s is in layers.spor: write include \"layers.spor\" above",
                  node->text);
    const char *near = env_nearest(run, env, node->text, false);
    pass_fail(run, node->place, "nothing is called %s%s%s%s", node->text,
              near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static spor_value look_up(spor_pass *run, spor_env *env, const spor_syntax *node) {
    const spor_binding *binding = env_find(env, node->text);
    if (binding) return binding->value;
    if (node->word && node->word->evaluate) return node->word->evaluate(run, env, node);
    unknown_name(run, env, node);
}

spor_value pass_training(spor_pass *run, spor_env *env, const spor_syntax *node) {
    (void)env;
    if (!run->tape)
        pass_fail(run, node->place,
                  "training is known only while a net is recorded: use it inside a def");
    return value_of_bool(run->training);
}

static void assign_name(spor_pass *run, spor_env *env, const spor_syntax *target,
                        spor_value value) {
    if (target->word && target->word->fixed)
        pass_fail(run, target->place, "%s", target->word->fixed);
    if (value.kind == VALUE_NOTHING)
        pass_fail(run, target->place, "%s would be nothing: what was called returns no value",
                  target->text);
    if (run->ruling && value.kind == VALUE_TENSOR) spor_name(value.t.var, target->text);
    if (run->script->naming && value.kind == VALUE_TENSOR)
        pass_name(run, value.t.var, target->text);
    env_set(run, env, target->text, value);
}

/* target = value, where the target may be a list of names */
static void assign(spor_pass *run, spor_env *env, const spor_syntax *target, spor_value value) {
    if (target->kind == NODE_NAME) {
        assign_name(run, env, target, value);
        return;
    }
    if (value.kind == VALUE_TENSOR)
        pass_fail(run, target->place, "a tensor does not fall apart into %d names; use split",
                  target->n);
    if (value.kind != VALUE_LIST || value.list.n != target->n)
        pass_fail(run, target->place, "%d names cannot take %s", target->n,
                  value_describe(&run->ground, &value));
    for (int k = 0; k < target->n; k++) assign_name(run, env, target->child[k], value.list.item[k]);
}

/* ---- limits ---------------------------------------------------------------------------------- */

void pass_spend(spor_pass *run, spor_spot place, int64_t steps) {
    if (steps > SPOR_LIMIT_STEPS - run->steps)
        pass_fail(run, place, "the script takes more than %d steps here", SPOR_LIMIT_STEPS);
    run->steps += (int)steps;
}

spor_value *pass_items(spor_pass *run, spor_spot place, int64_t n) {
    if (n > SPOR_LIMIT_LIST)
        pass_fail(run, place, "a list would have more than %d elements", SPOR_LIMIT_LIST);
    pass_spend(run, place, n);
    return ground_take(&run->ground, (size_t)n, sizeof(spor_value));
}

spor_value pass_list(spor_pass *run, spor_spot place, int64_t n, spor_value items[]) {
    int depth = 0;
    for (int64_t k = 0; k < n; k++)
        if (items[k].kind == VALUE_LIST && items[k].list.depth > depth) depth = items[k].list.depth;
    if (depth >= SPOR_LIMIT_NESTING)
        pass_fail(run, place, "lists are nested deeper than %d", SPOR_LIMIT_NESTING);
    return (spor_value){.kind = VALUE_LIST, .list = {(int)n, depth + 1, items}};
}

/* ---- expressions ----------------------------------------------------------------------------- */

static spor_value list_of(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value *items = pass_items(run, node->place, node->n);
    for (int k = 0; k < node->n; k++) {
        items[k] = pass_evaluate(run, env, node->child[k]);
        if (items[k].kind == VALUE_NOTHING)
            pass_fail(run, node->child[k]->place, "a list cannot hold nothing");
    }
    return pass_list(run, node->place, node->n, items);
}

static spor_value call(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value callee = pass_evaluate(run, env, node->child[0]);
    size_t n = (size_t)node->n - 1;
    spor_value *value = ground_take(&run->ground, n, sizeof *value);
    spor_spot *at = ground_take(&run->ground, n, sizeof *at);
    for (size_t k = 0; k < n; k++) {
        value[k] = pass_evaluate(run, env, node->child[k + 1]);
        at[k] = node->child[k + 1]->place;
        if (value[k].kind == VALUE_NOTHING)
            pass_fail(run, at[k],
                      "an argument cannot be nothing: what was called returns no value");
    }
    spor_arguments arguments = {node->place, (int)n, value, node->keyword + 1, at};
    return pass_call(run, &callee, &arguments);
}

int64_t pass_slice(spor_pass *run, spor_env *env, const spor_syntax *item, int64_t n,
                   int64_t bound[3]) {
    bound[0] = 0;
    bound[1] = n;
    bound[2] = 1;
    for (int k = 0; k < 3; k++) {
        if (!item->child[k]) continue;
        spor_value v = pass_evaluate(run, env, item->child[k]);
        bound[k] = want_int(run, item->child[k]->place, "a slice", &v);
        if (k < 2 && bound[k] < 0) bound[k] = bound[k] < -n ? 0 : bound[k] + n;
        if (k < 2 && bound[k] > n) bound[k] = n;
    }
    if (bound[2] < 1)
        pass_fail(run, item->place, "the step of a slice is at least 1; use reversed or flip");
    int64_t span = bound[1] > bound[0] ? bound[1] - bound[0] : 0;
    return span / bound[2] + (span % bound[2] != 0);
}

int64_t pass_index(spor_pass *run, spor_env *env, const spor_syntax *item, int64_t n) {
    spor_value v = pass_evaluate(run, env, item);
    int64_t k = want_int(run, item->place, "an index", &v);
    if (k < -n || k >= n)
        pass_fail(run, item->place, "there is no index %" PRId64 " among %" PRId64 " elements", k,
                  n);
    return k < 0 ? k + n : k;
}

/* l[k], l[a:b] of a list */
static spor_value list_element(spor_pass *run, spor_env *env, const spor_syntax *node,
                               const spor_list *list) {
    const spor_syntax *item = node->child[1];
    if (node->n != 2) pass_fail(run, node->place, "a list has one index: write l[i][j]");
    if (item->kind == NODE_ELLIPSIS) pass_fail(run, item->place, "a list has no axes");
    if (item->kind != NODE_SLICE) return list->item[pass_index(run, env, item, list->n)];
    int64_t bound[3], count = pass_slice(run, env, item, list->n, bound);
    spor_value *items = pass_items(run, node->place, count);
    for (int64_t k = 0; k < count; k++) items[k] = list->item[bound[0] + k * bound[2]];
    return pass_list(run, node->place, count, items);
}

static spor_value subscript(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value base = pass_evaluate(run, env, node->child[0]);
    if (base.kind == VALUE_LIST) return list_element(run, env, node, &base.list);
    if (base.kind == VALUE_TENSOR) return tensor_index(run, env, node, &base);
    pass_fail(run, node->place, "only lists and tensors have elements, not %s",
              value_describe(&run->ground, &base));
}

static bool condition(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value v = pass_evaluate(run, env, node);
    return pass_truth(run, node->place, &v);
}

static spor_value binary(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value a = pass_evaluate(run, env, node->child[0]);
    spor_value b = pass_evaluate(run, env, node->child[1]);
    return pass_binary(run, node->place, node->sign, &a, &b);
}

static spor_value signed_value(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value v = pass_evaluate(run, env, node->child[0]);
    if (node->kind == NODE_NEGATE) return pass_negate(run, node->place, &v);
    if (!value_is_number(&v) && v.kind != VALUE_TENSOR)
        pass_fail(run, node->place, "+ does not take %s", value_describe(&run->ground, &v));
    return v;
}

static spor_evaluator comprehension;

spor_value pass_evaluate(spor_pass *run, spor_env *env, const spor_syntax *node) {
    pass_spend(run, node->place, 1);
    switch (node->kind) {
    case NODE_INT:
        return value_of_int(node->i);
    case NODE_REAL:
        return value_of_real(node->r, node->error);
    case NODE_BOOL:
        return value_of_bool(node->i != 0);
    case NODE_STRING:
        return value_of_string(node->text);
    case NODE_NAME:
        return look_up(run, env, node);
    case NODE_LIST:
        return list_of(run, env, node);
    case NODE_COMPREHENSION:
        return comprehension(run, env, node);
    case NODE_NEGATE:
    case NODE_PLUS:
        return signed_value(run, env, node);
    case NODE_BINARY:
        return binary(run, env, node);
    case NODE_AND:
        return value_of_bool(condition(run, env, node->child[0]) &&
                             condition(run, env, node->child[1]));
    case NODE_OR:
        return value_of_bool(condition(run, env, node->child[0]) ||
                             condition(run, env, node->child[1]));
    case NODE_NOT:
        return value_of_bool(!condition(run, env, node->child[0]));
    case NODE_CHOICE:
        return pass_evaluate(run, env, node->child[condition(run, env, node->child[1]) ? 0 : 2]);
    case NODE_CALL:
        return call(run, env, node);
    case NODE_INDEX:
        return subscript(run, env, node);
    case NODE_FORM:
        return node->evaluate(run, env, node);
    default:
        pass_fail(run, node->place, "this has no value");
    }
}

/* ---- going through lists --------------------------------------------------------------------- */

static const spor_list *to_go_through(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value *list = ground_take(&run->ground, 1, sizeof *list);
    *list = pass_evaluate(run, env, node);
    if (list->kind == VALUE_TENSOR)
        pass_fail(run, node->place,
                  "for goes through a list; for k in range(n) takes x[k] of a tensor");
    if (list->kind == VALUE_INT)
        pass_fail(run, node->place, "for goes through a list; write range(%" PRId64 ")", list->i);
    if (list->kind != VALUE_LIST)
        pass_fail(run, node->place, "for goes through a list, not %s",
                  value_describe(&run->ground, list));
    return &list->list;
}

/* What a comprehension has so far; room doubles. */
typedef struct {
    spor_value *item;
    int64_t n, room;
} gathered;

static void gather(spor_pass *run, spor_env *env, const spor_syntax *term, gathered *to) {
    if (to->n == to->room) {
        int64_t room = to->room ? 2 * to->room : 8;
        spor_value *grown = ground_take(&run->ground, (size_t)room, sizeof *grown);
        if (to->n) memcpy(grown, to->item, (size_t)to->n * sizeof *grown);
        to->item = grown;
        to->room = room;
    }
    if (to->n == SPOR_LIMIT_LIST)
        pass_fail(run, term->place, "a list would have more than %d elements", SPOR_LIMIT_LIST);
    spor_value value = pass_evaluate(run, env, term);
    if (value.kind == VALUE_NOTHING) pass_fail(run, term->place, "a list cannot hold nothing");
    to->item[to->n++] = value;
}

/* Clauses from k on. */
static void go_through(spor_pass *run, spor_env *env, const spor_syntax *node, int k,
                       gathered *to) {
    if (k == node->n) {
        gather(run, env, node->child[0], to);
        return;
    }
    const spor_syntax *clause = node->child[k];
    if (clause->kind == NODE_IF) {
        if (condition(run, env, clause->child[0])) go_through(run, env, node, k + 1, to);
        return;
    }
    const spor_list *list = to_go_through(run, env, clause->child[1]);
    for (int i = 0; i < list->n; i++) {
        pass_spend(run, clause->place, 1);
        assign(run, env, clause->child[0], list->item[i]);
        go_through(run, env, node, k + 1, to);
    }
}

/* Its names are its own. */
static spor_value comprehension(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_env *inside = ground_take(&run->ground, 1, sizeof *inside);
    gathered all = {0};
    inside->parent = env;
    go_through(run, inside, node, 1, &all);
    return pass_list(run, node->place, all.n, all.item);
}

/* ---- statements ------------------------------------------------------------------------------ */

/* True if a return was met; its value is then in *result. */
static bool execute(spor_pass *run, spor_env *env, const spor_syntax *node, spor_value *result);

static bool execute_block(spor_pass *run, spor_env *env, const spor_syntax *node,
                          spor_value *result) {
    for (int k = 0; k < node->n; k++)
        if (execute(run, env, node->child[k], result)) return true;
    return false;
}

static bool execute_if(spor_pass *run, spor_env *env, const spor_syntax *node, spor_value *result) {
    for (int k = 0; k + 1 < node->n; k += 2)
        if (condition(run, env, node->child[k]))
            return execute_block(run, env, node->child[k + 1], result);
    return node->n % 2 == 1 && execute_block(run, env, node->child[node->n - 1], result);
}

static bool execute_for(spor_pass *run, spor_env *env, const spor_syntax *node,
                        spor_value *result) {
    const spor_list *list = to_go_through(run, env, node->child[1]);
    for (int k = 0; k < list->n; k++) {
        pass_spend(run, node->child[1]->place, 1);
        assign(run, env, node->child[0], list->item[k]);
        if (execute_block(run, env, node->child[2], result)) return true;
    }
    return false;
}

static void define(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_function *function = ground_take(&run->ground, 1, sizeof *function);
    *function = (spor_function){node->def, env};
    env_set(run, env, node->def->name, (spor_value){.kind = VALUE_FUNCTION, .function = function});
}

/* A name=value of --set for this name that was not yet used. */
static const spor_syntax *replacement(spor_pass *run, const spor_env *env,
                                      const spor_syntax *target) {
    if (env != run->script->globals || target->kind != NODE_NAME) return NULL;
    for (int k = 0; k < run->script->replacements; k++) {
        spor_replacement *r = &run->script->replacement[k];
        if (r->name != target->text || r->used) continue;
        r->used = true;
        return r->value;
    }
    return NULL;
}

static void execute_assign(spor_pass *run, spor_env *env, const spor_syntax *node) {
    const spor_syntax *value = replacement(run, env, node->child[0]);
    if (!value) value = node->child[1];
    assign(run, env, node->child[0], pass_evaluate(run, env, value));
}

static void augment(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value a = pass_evaluate(run, env, node->child[0]);
    spor_value b = pass_evaluate(run, env, node->child[1]);
    assign(run, env, node->child[0], pass_binary(run, node->place, node->sign, &a, &b));
}

static bool execute(spor_pass *run, spor_env *env, const spor_syntax *node, spor_value *result) {
    pass_spend(run, node->place, 1);
    switch (node->kind) {
    case NODE_EVALUATE:
        pass_evaluate(run, env, node->child[0]);
        break;
    case NODE_ASSIGN:
        execute_assign(run, env, node);
        break;
    case NODE_AUGMENT:
        augment(run, env, node);
        break;
    case NODE_RETURN:
        if (node->n) *result = pass_evaluate(run, env, node->child[0]);
        return true;
    case NODE_IF:
        return execute_if(run, env, node, result);
    case NODE_FOR:
        return execute_for(run, env, node, result);
    case NODE_DEF:
        define(run, env, node);
        break;
    case NODE_INCLUDE:
        script_include(run, node);
        break;
    case NODE_ACT:
        node->evaluate(run, env, node);
        break;
    default:
        break;
    }
    return false;
}

void pass_statement(spor_pass *run, spor_env *env, const spor_syntax *node) {
    spor_value nothing = {.kind = VALUE_NOTHING};
    execute(run, env, node, &nothing);
}

void pass_top(spor_pass *run, spor_env *env, const spor_syntax *block) {
    spor_value nothing = {.kind = VALUE_NOTHING};
    execute_block(run, env, block, &nothing);
}

spor_value pass_body(spor_pass *run, spor_env *env, const spor_syntax *block) {
    spor_value result = {.kind = VALUE_NOTHING};
    execute_block(run, env, block, &result);
    return result;
}
