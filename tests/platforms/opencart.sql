-- OpenCart - cart table.  Native database: MySQL / MariaDB. Prefix shown: oc_ (configurable).
-- Source of facts: upload/system/helper/db_schema.php + system/library/cart/cart.php (4.1.x), install/opencart.sql (3.0.3.8).
-- There is NO cart header. A cart is the set of rows that share (store_id, customer_id, session_id).
-- There is no price in practice (4.1 declares a price column, Cart::add never writes it).

-- 4.1.x. The schema file says nothing about NOT NULL, so every column but the key is nullable; its
-- "foreign" entries are documentation, no constraint is created from them here.
CREATE TABLE oc_cart (
  cart_id              INT(11) NOT NULL AUTO_INCREMENT,   -- id of the LINE, despite the name
  store_id             INT(11) DEFAULT 0,
  customer_id          INT(11) DEFAULT 0,                 -- 0 = guest
  session_id           VARCHAR(32),                       -- the only guest identity; rewritten on every visit of a customer
  product_id           INT(11),
  subscription_plan_id INT(11) DEFAULT 0,
  `option`             TEXT,                              -- JSON: {product_option_id: value | [values]}; [] when none
  quantity             INT(5),
  `override`           TEXT,                              -- JSON
  price                DECIMAL(15,4),
  date_added           DATETIME,                          -- NOW() of the session; touched by every page view of a customer
  PRIMARY KEY (cart_id),
  KEY cart_id (customer_id, session_id, product_id, subscription_plan_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- 3.0.3.8 shape (still the most common in the field):
CREATE TABLE oc3_cart (
  cart_id      INT(11) UNSIGNED NOT NULL AUTO_INCREMENT,
  api_id       INT(11) NOT NULL,
  customer_id  INT(11) NOT NULL,
  session_id   VARCHAR(32) NOT NULL,
  product_id   INT(11) NOT NULL,
  recurring_id INT(11) NOT NULL,
  `option`     TEXT NOT NULL,
  quantity     INT(5) NOT NULL,
  date_added   DATETIME NOT NULL,
  PRIMARY KEY (cart_id),
  KEY cart_id (api_id, customer_id, session_id, product_id, recurring_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_general_ci;

-- look-up stub: the sku lives on the product (4.x: model/sku/upc ...), options change price but have no sku
CREATE TABLE oc_product (
  product_id INT(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  master_id  INT(11) DEFAULT 0,
  model      VARCHAR(64),
  sku        VARCHAR(64),
  price      DECIMAL(15,4) DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE oc_customer (
  customer_id INT(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
  store_id    INT(11) DEFAULT 0,
  email       VARCHAR(96),
  KEY email (email)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
