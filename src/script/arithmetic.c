/*
 * Numbers, strings and lists under the signs of the language. Integers are exact or an error; reals
 * are doubles that know how far they may be from the number meant.
 */
#include "script/interpret.h"
#include "script/lexer.h"

#include <math.h>
#include <string.h>

#include "kernels/scalar_bound.h"

enum {
    EQUAL = SPOR_SIGN('=', '=', 0),
    UNEQUAL = SPOR_SIGN('!', '=', 0),
    AT_MOST = SPOR_SIGN('<', '=', 0),
    AT_LEAST = SPOR_SIGN('>', '=', 0),
    FLOOR = SPOR_SIGN('/', '/', 0),
    POWER = SPOR_SIGN('*', '*', 0)
};

/* ---- numbers --------------------------------------------------------------------------------- */

static int64_t floor_quotient(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static int64_t integer(spor_pass *run, spor_spot place, int sign, int64_t a, int64_t b) {
    int64_t result = 0;
    bool overflow = false;
    switch (sign) {
    case '+':
        overflow = __builtin_add_overflow(a, b, &result);
        break;
    case '-':
        overflow = __builtin_sub_overflow(a, b, &result);
        break;
    case '*':
        overflow = __builtin_mul_overflow(a, b, &result);
        break;
    default:
        if (b == 0) pass_fail(run, place, "division by zero");
        overflow = a == INT64_MIN && b == -1;
        if (!overflow) result = floor_quotient(a, b);
        if (sign == '%') result = overflow ? 0 : a - result * b;
        if (sign == '%') overflow = false;
    }
    if (overflow) pass_fail(run, place, "the result does not fit in 64 bits");
    return result;
}

/* a^n, by squares */
static int64_t integer_power(spor_pass *run, spor_spot place, int64_t a, int64_t n) {
    int64_t result = 1;
    for (; n; n /= 2) {
        if (n % 2) result = integer(run, place, '*', result, a);
        if (n > 1) a = integer(run, place, '*', a, a);
    }
    return result;
}

/* The same of a real; an exponent below 0 divides. */
static T whole_power(T a, int64_t n) {
    T result = FROM_INT(1);
    for (int64_t k = n < 0 ? -n : n; k; k /= 2, a = MUL(a, a))
        if (k % 2) result = MUL(result, a);
    return n < 0 ? DIV(FROM_INT(1), result) : result;
}

static spor_value power(spor_pass *run, spor_spot place, const spor_value *a, const spor_value *b) {
    enum { FACTORS = 1024 }; /* pow knows no better above */
    if (a->kind == VALUE_INT && b->kind == VALUE_INT && b->i >= 0)
        return value_of_int(integer_power(run, place, a->i, b->i));
    T x = KNOWN_TO(value_number(a), value_error(a)), y = KNOWN_TO(value_number(b), value_error(b));
    if (x.v == 0 && y.v < 0) pass_fail(run, place, "division by zero");
    bool whole = b->kind == VALUE_INT && b->i >= -FACTORS && b->i <= FACTORS;
    T result = whole ? whole_power(x, b->i) : POW(x, y);
    if (isnan(result.v))
        pass_fail(run, place, "of a negative number only whole powers are numbers");
    if (!isfinite(result.v)) pass_fail(run, place, "the result is not a finite number");
    return value_of_real(result.v, result.e);
}

static spor_value real(spor_pass *run, spor_spot place, int sign, T a, T b) {
    T result = {0, 0};
    switch (sign) {
    case '+':
        result = ADD(a, b);
        break;
    case '-':
        result = SUB(a, b);
        break;
    case '*':
        result = MUL(a, b);
        break;
    case '/':
        if (b.v == 0) pass_fail(run, place, "division by zero");
        result = DIV(a, b);
        break;
    default:
        pass_fail(run, place, "// and %% are for integers");
    }
    if (!isfinite(result.v)) pass_fail(run, place, "the result is not a finite number");
    return value_of_real(result.v, result.e);
}

static bool compare(int sign, int order) {
    switch (sign) {
    case '<':
        return order < 0;
    case '>':
        return order > 0;
    case AT_MOST:
        return order <= 0;
    default:
        return order >= 0;
    }
}

static bool is_order(int sign) {
    return sign == '<' || sign == '>' || sign == AT_MOST || sign == AT_LEAST;
}

static spor_value numbers(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                          const spor_value *b) {
    double x = value_number(a), y = value_number(b);
    bool integers = a->kind == VALUE_INT && b->kind == VALUE_INT;
    if (is_order(sign)) {
        int order = integers ? (a->i > b->i) - (a->i < b->i) : (x > y) - (x < y);
        return value_of_bool(compare(sign, order));
    }
    if (sign == '@') pass_fail(run, place, "@ is the product of matrices; write *");
    if (sign == POWER) return power(run, place, a, b);
    if (integers && sign != '/') return value_of_int(integer(run, place, sign, a->i, b->i));
    return real(run, place, sign, KNOWN_TO(x, value_error(a)), KNOWN_TO(y, value_error(b)));
}

/* ---- strings and lists ----------------------------------------------------------------------- */

static spor_value join_strings(spor_pass *run, spor_spot place, const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    if (n + m > SPOR_LIMIT_STRING)
        pass_fail(run, place, "a string would be longer than %d characters", SPOR_LIMIT_STRING);
    char *text = ground_take(&run->ground, n + m + 1, 1);
    memcpy(text, a, n);
    memcpy(text + n, b, m);
    return value_of_string(text);
}

static spor_value join_lists(spor_pass *run, spor_spot place, const spor_list *a,
                             const spor_list *b) {
    spor_value *items = pass_items(run, place, (int64_t)a->n + b->n);
    if (a->n) memcpy(items, a->item, (size_t)a->n * sizeof *items);
    if (b->n) memcpy(items + a->n, b->item, (size_t)b->n * sizeof *items);
    return pass_list(run, place, a->n + b->n, items);
}

static spor_value repeat_list(spor_pass *run, spor_spot place, const spor_list *a, int64_t times) {
    int64_t n = 0;
    if (times < 0) times = 0;
    if (__builtin_mul_overflow((int64_t)a->n, times, &n)) n = INT64_MAX;
    spor_value *items = pass_items(run, place, n);
    for (int64_t k = 0; k < n; k++) items[k] = a->item[k % a->n];
    return pass_list(run, place, n, items);
}

static bool lists_equal(spor_pass *run, spor_spot place, const spor_list *a, const spor_list *b) {
    bool equal = a->n == b->n;
    for (int k = 0; k < a->n && equal; k++)
        equal = pass_equal(run, place, &a->item[k], &b->item[k]);
    return equal;
}

static void refuse_tensor(spor_pass *run, spor_spot place, const spor_value *v) {
    if (v->kind == VALUE_TENSOR)
        pass_fail(run, place,
                  "a tensor among the elements of a list cannot be compared: it has no value while "
                  "a script records");
}

bool pass_equal(spor_pass *run, spor_spot place, const spor_value *a, const spor_value *b) {
    pass_spend(run, place, 1);
    refuse_tensor(run, place, a);
    refuse_tensor(run, place, b);
    if (a->kind == VALUE_INT && b->kind == VALUE_INT) return a->i == b->i;
    if (value_is_number(a) && value_is_number(b)) return value_number(a) == value_number(b);
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_STRING:
        return strcmp(a->s, b->s) == 0;
    case VALUE_LIST:
        return lists_equal(run, place, &a->list, &b->list);
    case VALUE_FUNCTION:
        return a->function == b->function;
    case VALUE_BUILTIN:
        return a->builtin == b->builtin;
    case VALUE_OP:
        return a->op == b->op;
    default:
        return false;
    }
}

static bool contains(spor_pass *run, spor_spot place, const spor_value *item,
                     const spor_value *list) {
    if (list->kind != VALUE_LIST)
        pass_fail(run, place, "in looks for a value in a list, not in %s",
                  value_describe(&run->ground, list));
    for (int k = 0; k < list->list.n; k++)
        if (pass_equal(run, place, item, &list->list.item[k])) return true;
    return false;
}

/* ---- signs ----------------------------------------------------------------------------------- */

static _Noreturn void mismatch(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                               const spor_value *b) {
    char text[4];
    pass_fail(run, place, "%s does not take %s and %s", lexer_sign_text(sign, text),
              value_describe(&run->ground, a), value_describe(&run->ground, b));
}

static spor_value others(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                         const spor_value *b) {
    if (sign == '+' && a->kind == VALUE_STRING && b->kind == VALUE_STRING)
        return join_strings(run, place, a->s, b->s);
    if (sign == '+' && a->kind == VALUE_LIST && b->kind == VALUE_LIST)
        return join_lists(run, place, &a->list, &b->list);
    if (sign == '*' && a->kind == VALUE_LIST && b->kind == VALUE_INT)
        return repeat_list(run, place, &a->list, b->i);
    mismatch(run, place, sign, a, b);
}

/* What a sign takes beside a tensor: numbers, and lists of them. */
static spor_value beside_tensor(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                                const spor_value *b, const spor_value *one) {
    char text[4];
    if (one->kind == VALUE_LIST)
        return tensor_of_list(run, place, lexer_sign_text(sign, text), one);
    if (one->kind != VALUE_TENSOR && !value_is_number(one)) mismatch(run, place, sign, a, b);
    return *one;
}

static spor_value with_tensor(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                              const spor_value *b) {
    char text[4];
    if (sign == FLOOR || sign == '%')
        pass_fail(run, place, "%s is for integers, not for tensors", lexer_sign_text(sign, text));
    spor_value x = beside_tensor(run, place, sign, a, b, a);
    spor_value y = beside_tensor(run, place, sign, a, b, b);
    return tensor_binary(run, place, sign, &x, &y);
}

spor_value pass_binary(spor_pass *run, spor_spot place, int sign, const spor_value *a,
                       const spor_value *b) {
    bool tensor = a->kind == VALUE_TENSOR || b->kind == VALUE_TENSOR;
    if (tensor && sign != 'i') return with_tensor(run, place, sign, a, b);
    if (sign == EQUAL) return value_of_bool(pass_equal(run, place, a, b));
    if (sign == UNEQUAL) return value_of_bool(!pass_equal(run, place, a, b));
    if (sign == 'i') return value_of_bool(contains(run, place, a, b));
    if (value_is_number(a) && value_is_number(b)) return numbers(run, place, sign, a, b);
    return others(run, place, sign, a, b);
}

spor_value pass_negate(spor_pass *run, spor_spot place, const spor_value *a) {
    if (a->kind == VALUE_TENSOR) return tensor_negate(run, place, a);
    if (a->kind == VALUE_REAL) return value_of_real(-a->r, a->error);
    if (a->kind != VALUE_INT)
        pass_fail(run, place, "- does not take %s", value_describe(&run->ground, a));
    return value_of_int(integer(run, place, '-', 0, a->i));
}

bool pass_truth(spor_pass *run, spor_spot place, const spor_value *v) {
    if (v->kind == VALUE_TENSOR)
        pass_fail(run, place,
                  "a tensor cannot be a condition: while a script records it has no value yet; "
                  "where(c, x, y) chooses element by element, c * d is where both masks are 1");
    if (v->kind != VALUE_BOOL)
        pass_fail(run, place, "a condition must be True or False, not %s; compare it",
                  value_describe(&run->ground, v));
    return v->b;
}
