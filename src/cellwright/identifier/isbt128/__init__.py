"""ISBT 128: donation numbers, chain-of-identity identifiers, product codes and the other data structures in use.

Source of the layouts: ISBT 128 Standard Technical Specification ST-001 v6.2.2 (ICCBBA). Its product description tables are
licensed and are not part of this package.
"""
