-- PrestaShop 8/9 - cart tables.  Native database: MySQL / MariaDB. Prefix shown: ps_ (configurable).
-- Source of facts: install-dev/data/db_structure.sql and classes/Cart.php of PrestaShop/PrestaShop.
-- The core schema has NO foreign keys at all; the engine is a setting (InnoDB today, MyISAM in old shops).
-- There is no "active" column: a cart is live as long as no ps_orders row names its id_cart.
-- There is no price anywhere in the cart: prices are computed from the catalogue at read time.

CREATE TABLE ps_cart (
  id_cart                 INT(10) UNSIGNED NOT NULL AUTO_INCREMENT,
  id_shop_group           INT(11) UNSIGNED NOT NULL DEFAULT 1,
  id_shop                 INT(11) UNSIGNED NOT NULL DEFAULT 1,
  id_carrier              INT(10) UNSIGNED NOT NULL,
  delivery_option         TEXT NOT NULL,                     -- JSON text, e.g. {"12":"3,"}
  id_lang                 INT(10) UNSIGNED NOT NULL,
  id_address_delivery     INT(10) UNSIGNED NOT NULL,         -- 0 = none
  id_address_invoice      INT(10) UNSIGNED NOT NULL,         -- 0 = none
  id_currency             INT(10) UNSIGNED NOT NULL,
  id_customer             INT(10) UNSIGNED NOT NULL,         -- 0 = guest (not NULL)
  id_guest                INT(10) UNSIGNED NOT NULL,
  secure_key              VARCHAR(32) NOT NULL DEFAULT '-1', -- md5 of the customer; '-1' until known; no guest token
  recyclable              TINYINT(1) UNSIGNED NOT NULL DEFAULT 1,
  gift                    TINYINT(1) UNSIGNED NOT NULL DEFAULT 0,
  gift_message            TEXT,
  mobile_theme            TINYINT(1) NOT NULL DEFAULT 0,
  allow_seperated_package TINYINT(1) UNSIGNED NOT NULL DEFAULT 0,
  date_add                DATETIME NOT NULL,                 -- shop-local wall clock written by PHP, no zone
  date_upd                DATETIME NOT NULL,
  checkout_session_data   MEDIUMTEXT NULL,                   -- JSON
  PRIMARY KEY (id_cart),
  KEY cart_customer (id_customer),
  KEY id_address_delivery (id_address_delivery),
  KEY id_address_invoice (id_address_invoice),
  KEY id_carrier (id_carrier),
  KEY id_lang (id_lang),
  KEY id_currency (id_currency),
  KEY id_guest (id_guest),
  KEY id_shop_group (id_shop_group),
  KEY id_shop_2 (id_shop, date_upd),
  KEY id_shop (id_shop, date_add)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Five-column key, no surrogate id. Up to 8.x id_address_delivery is rewritten when the shopper logs in or
-- picks an address, i.e. the PRIMARY KEY of existing rows changes; newer code writes 0 there.
CREATE TABLE ps_cart_product (
  id_cart              INT(10) UNSIGNED NOT NULL,
  id_product           INT(10) UNSIGNED NOT NULL,
  id_address_delivery  INT(10) UNSIGNED NOT NULL DEFAULT 0,
  id_shop              INT(10) UNSIGNED NOT NULL DEFAULT 1,
  id_product_attribute INT(10) UNSIGNED NOT NULL DEFAULT 0,  -- 0 = product without combinations
  id_customization     INT(10) UNSIGNED NOT NULL DEFAULT 0,
  quantity             INT(10) UNSIGNED NOT NULL DEFAULT 0,
  date_add             DATETIME NOT NULL,
  PRIMARY KEY (id_cart, id_product, id_product_attribute, id_customization, id_address_delivery),
  KEY id_product_attribute (id_product_attribute),
  KEY id_cart_order (id_cart, date_add, id_product, id_product_attribute)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE ps_customization (
  id_customization     INT(10) UNSIGNED NOT NULL AUTO_INCREMENT,
  id_product_attribute INT(10) UNSIGNED NOT NULL DEFAULT 0,
  id_address_delivery  INT(10) UNSIGNED NOT NULL DEFAULT 0,
  id_cart              INT(10) UNSIGNED NOT NULL,
  id_product           INT(10) NOT NULL,
  quantity             INT(10) NOT NULL,
  quantity_refunded    INT NOT NULL DEFAULT 0,
  quantity_returned    INT NOT NULL DEFAULT 0,
  in_cart              TINYINT(1) UNSIGNED NOT NULL DEFAULT 0, -- 0 = half-filled form, not in the cart yet
  PRIMARY KEY (id_customization, id_cart, id_product, id_address_delivery),
  KEY id_product_attribute (id_product_attribute),
  KEY id_cart_product (id_cart, id_product, id_product_attribute)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE ps_customized_data (
  id_customization INT(10) UNSIGNED NOT NULL,
  type             TINYINT(1) NOT NULL,
  `index`          INT(3) NOT NULL,
  value            VARCHAR(1024) NOT NULL,
  PRIMARY KEY (id_customization, type, `index`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE ps_cart_cart_rule (            -- vouchers on the cart
  id_cart      INT(10) UNSIGNED NOT NULL,
  id_cart_rule INT(10) UNSIGNED NOT NULL,
  PRIMARY KEY (id_cart, id_cart_rule),
  KEY (id_cart_rule)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- ---- tables the mapping has to look into (reduced stubs) ----------------------------------------
CREATE TABLE ps_orders (                    -- its INSERT is what ends a cart
  id_order  INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id_cart   INT(10) UNSIGNED NOT NULL,
  date_add  DATETIME NOT NULL,
  KEY id_cart (id_cart)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE ps_product (
  id_product INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  reference  VARCHAR(64) DEFAULT NULL,      -- the sku; not unique, may be empty
  price      DECIMAL(20,6) NOT NULL DEFAULT 0.000000,   -- tax-exclusive base price
  is_virtual TINYINT(1) NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE ps_product_attribute (         -- a combination, i.e. a variant
  id_product_attribute INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id_product           INT(10) UNSIGNED NOT NULL,
  reference            VARCHAR(64) DEFAULT NULL,
  price                DECIMAL(20,6) NOT NULL DEFAULT 0.000000,  -- impact added to the product price
  KEY product_attribute_product (id_product),
  KEY reference (reference)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE ps_currency (id_currency INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, iso_code VARCHAR(3) NOT NULL DEFAULT '0') ENGINE=InnoDB;
CREATE TABLE ps_lang     (id_lang INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, iso_code VARCHAR(2) NOT NULL, locale VARCHAR(5) NOT NULL) ENGINE=InnoDB;
CREATE TABLE ps_customer (id_customer INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255) NOT NULL, firstname VARCHAR(255) NOT NULL, lastname VARCHAR(255) NOT NULL, secure_key VARCHAR(32) NOT NULL DEFAULT '-1') ENGINE=InnoDB;
CREATE TABLE ps_cart_rule (                 -- a voucher; code is '' for one that applies by itself
  id_cart_rule INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  code         VARCHAR(254) NOT NULL,
  active       TINYINT(1) UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE ps_country (id_country INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, iso_code VARCHAR(3) NOT NULL, active TINYINT(1) UNSIGNED NOT NULL DEFAULT 0) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE ps_state   (id_state INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, id_country INT(11) UNSIGNED NOT NULL, name VARCHAR(80) NOT NULL, iso_code VARCHAR(7) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE ps_address (
  id_address   INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id_country   INT(10) UNSIGNED NOT NULL,
  id_state     INT(10) UNSIGNED DEFAULT NULL,
  id_customer  INT(10) UNSIGNED NOT NULL DEFAULT 0,
  alias        VARCHAR(32) NOT NULL,
  company      VARCHAR(255) DEFAULT NULL,
  lastname     VARCHAR(255) NOT NULL,
  firstname    VARCHAR(255) NOT NULL,
  address1     VARCHAR(128) NOT NULL,
  address2     VARCHAR(128) DEFAULT NULL,
  postcode     VARCHAR(12) DEFAULT NULL,
  city         VARCHAR(64) NOT NULL,
  phone        VARCHAR(32) DEFAULT NULL,
  phone_mobile VARCHAR(32) DEFAULT NULL,
  date_add     DATETIME NOT NULL,
  date_upd     DATETIME NOT NULL,
  deleted      TINYINT(1) UNSIGNED NOT NULL DEFAULT 0,
  KEY address_customer (id_customer)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
