/*
 * net_pow of exported C, in float and in double.
 */
#ifndef SPOR_TESTS_POWER_H
#define SPOR_TESTS_POWER_H

float power_single(float x, float y);
double power_double(double x, double y);

#endif
